// What the status item says.

export function idleText({ status }) {
  if (!status) return "greynb";
  if (status.error) return `greynb: ${status.error.message}`;
  const version = status.pinned ? `pinned to ${status.pinned}` : (status.version ?? `${status.mode} mode`);
  return ["greynb", version, status.lag].filter(Boolean).join(" · ");
}

// Everything, for the tooltip and for screen readers.
export function fullText({ status }) {
  if (!status || status.error) return [idleText({ status }), status?.error?.hint].filter(Boolean).join("\n");
  const roles = status.roles.map(({ role, name, exists }) => `${role}: ${name}${exists ? "" : ", not there yet"}`);
  const version = status.version ? `version ${status.version}` : null;
  const pinned = status.pinned ? `pinned to ${status.pinned}` : null;
  return [...roles, `${status.mode} mode`, version, pinned, status.lag, status.mirror].filter(Boolean).join("\n");
}

export function runningText({ label, fraction, rows, began }) {
  const seconds = Math.max(0, Math.round((Date.now() - began) / 1000));
  const done = fraction ? `${Math.round(100 * fraction)} %` : null;
  const counted = rows === null || rows === undefined ? null : `${rows.toLocaleString("en")} rows`;
  return [label, done, counted, `${seconds} s`].filter(Boolean).join(" · ");
}
