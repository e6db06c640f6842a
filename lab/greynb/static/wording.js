// What the status item says.

export function shortText({ status }) {
  if (!status) return "greynb";
  return status.error ? `greynb: ${status.error.message}` : `${version(status)} · ${freshness(status)}`;
}

export function longText({ status }) {
  if (!status || status.error) return shortText({ status });
  const [analytics, staging] = status.roles.map((each) => each.name);
  const files = status.mode === "dual" ? `${analytics} ← ${staging}` : analytics;
  const mirror = `mirror ${status.mirror_state}`;
  return [files, `${status.mode} mode`, version(status), status.lag, mirror].filter(Boolean).join(" · ");
}

function freshness({ roles: [analytics], behind }) {
  if (!analytics.exists) return "not there yet";
  if (behind === null) return "lag unknown";
  if (!behind) return "up to date";
  const [size, unit] = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]].find(([size]) => behind >= size || size === 1);
  return `${Math.round(behind / size)} ${unit} behind`;
}

const version = ({ pinned, version }) => (pinned ? `pinned to ${pinned}` : (version ?? "no version"));

// Everything, for the tooltip and for screen readers.
export function fullText({ status }) {
  if (!status || status.error) return [shortText({ status }), status?.error?.hint].filter(Boolean).join("\n");
  const roles = status.roles.map(({ role, name, exists }) => `${role}: ${name}${exists ? "" : ", not there yet"}`);
  return [...roles, `${status.mode} mode`, version(status), status.lag, status.mirror].filter(Boolean).join("\n");
}

export function runningText({ label, fraction, rows, began }) {
  const seconds = Math.max(0, Math.round((Date.now() - began) / 1000));
  const done = fraction ? `${Math.round(100 * fraction)} %` : null;
  const counted = rows === null || rows === undefined ? null : `${rows.toLocaleString("en")} rows`;
  return [label, done, counted, `${seconds} s`].filter(Boolean).join(" · ");
}
