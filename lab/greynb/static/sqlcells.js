// Which parts of a code cell are SQL.

// The dialect of each magic, by the MIME type under which JupyterLab knows it. DuckDB's is closest to
// PostgreSQL's.
export const DIALECTS = { analytics: "text/x-pgsql", staging: "text/x-sqlite" };

const CELL = /^%%(analytics|staging)(?![\w.])/;
const LINE = /^\s*(?:[\w\s,.[\]"']+=\s*)?%(analytics|staging)(?![\w.])[ \t]*/;
// Words that begin SQL, also where they stand on the magic's own line.
const OPENERS =
  /^(?:select|from|with|values|table|describe|desc|show|summarize|pivot|unpivot|explain|create|drop|insert|update|delete|replace|pragma|alter|vacuum|analyze|begin|commit|rollback|attach|detach)\b/i;

// The magic of a cell whose text is SQL from its second line on, else null.
export function magicOf(firstLine) {
  return CELL.exec(firstLine)?.[1] ?? null;
}

// How many characters of a cell magic's line come before SQL: the magic, its options and the result's name.
export function headLength(firstLine) {
  const magic = CELL.exec(firstLine);
  if (!magic) return 0;
  let end = magic[0].length;
  for (const word of firstLine.slice(end).matchAll(/\S+/g)) {
    if (OPENERS.test(word[0])) break;
    end = magic[0].length + word.index + word[0].length;
  }
  return end;
}

// The SQL in a line of Python, `df = %analytics SELECT …`: its dialect and where it begins, else null.
export function queryInLine(text) {
  const found = LINE.exec(text);
  return found && { magic: found[1], from: found[0].length };
}
