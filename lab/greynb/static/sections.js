// The sections of the panel, each from what the kernel answered.
import { h, number } from "./dom.js";

export function roles(status) {
  const about = [
    ...status.roles.flatMap((each) => [
      h("dt", {}, each.role),
      h("dd", {}, h("b", {}, each.name), h("small", {}, each.folder), ...lines(each)),
    ]),
    h("dt", {}, "version"),
    h("dd", {}, status.pinned ? `pinned to ${status.pinned}` : (status.version ?? "not published by greynb")),
    h("dt", {}, "freshness"),
    h("dd", {}, status.lag || "nothing to compare", h("small", {}, status.mirror)),
  ];
  return [h("dl", {}, about)];
}

const lines = ({ chosen_by, exists, state, at_work }) =>
  [`chosen by ${chosen_by}`, exists ? state : "not there yet", ...at_work].map((line) => h("small", {}, line));

export function versions(all, pinned, { pin, unpin, rollback }) {
  const items = all.map((each) => {
    const kept = each.id === pinned;
    const notes = [each.current ? "current" : null, kept ? "pinned" : null, each.intact ? null : "damaged"];
    const button = (label, act) => {
      const named = { type: "button", "aria-label": `${label} ${each.id}`, onclick: () => act(each.id) };
      return h("button", named, label);
    };
    const how = [
      time(each.published),
      each.source ? `${each.mode} of ${each.source}` : each.mode,
      each.rows === null ? null : `${number(each.rows)} rows`,
      each.seconds === null ? null : `${each.seconds.toFixed(2)} s`,
    ];
    return h(
      "li",
      {},
      h("span", { class: "greynb-row" }, h("b", {}, [each.id, ...notes].filter(Boolean).join(" · ")), [
        kept ? button("Unpin", unpin) : button("Pin", pin),
        each.current ? null : button("Roll back", rollback),
      ]),
      h("small", {}, how.filter(Boolean).join(" · ")),
    );
  });
  const none = h("p", {}, "No versions yet: greynb sync publishes the first one.");
  return [h("h3", {}, "Versions"), items.length ? h("ul", {}, items) : none];
}

export function tables(all, columnsOf) {
  return [h("h3", {}, "Tables"), ...all.map((each) => oneTable(each, columnsOf))];
}

// A table that opens to its columns, which are asked for then.
function oneTable({ name, kind, rows, problem }, columnsOf) {
  const size = problem || (rows === null ? kind : `${number(rows)} rows`);
  const details = h("details", {}, h("summary", {}, h("code", {}, name), h("small", {}, size)));
  details.addEventListener("toggle", async () => {
    if (!details.open || details.childElementCount > 1) return;
    try {
      const head = ["column", "type", "nulls"];
      const cells = (await columnsOf(name)).map((each) => [
        h("th", { scope: "row" }, h("code", {}, each.name)),
        h("td", {}, each.type, each.widened ? h("small", {}, `declared ${each.declared}`) : null),
        h("td", { class: "greynb-number" }, number(each.nulls)),
      ]);
      details.append(table(`Columns of ${name}`, head, cells));
    } catch ({ message }) {
      details.append(h("p", {}, message));
    }
  });
  return details;
}

export function queries(all) {
  const items = all.map((each) =>
    h(
      "li",
      {},
      h("code", {}, each.sql),
      h("small", {}, [time(each.at), each.role, `${each.seconds.toFixed(2)} s`, outcome(each)].join(" · ")),
    ),
  );
  const none = h("p", {}, "No SQL cell has run in this kernel.");
  return [h("h3", {}, "Queries"), items.length ? h("ul", {}, items) : none];
}

const outcome = ({ error, rows }) => error || (rows === null ? "done" : `${number(rows)} rows`);
const time = (iso) => (iso ? new Date(iso).toLocaleString("sv") : "?"); // 2026-01-31 12:00:00, local time

function table(name, head, rows) {
  const labels = head.map((label) => h("th", { scope: "col" }, label));
  const body = rows.map((cells) => h("tr", {}, cells));
  return h("table", { "aria-label": name }, h("thead", {}, h("tr", {}, labels)), h("tbody", {}, body));
}
