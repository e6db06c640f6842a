"""What `%greynb tables` and `%greynb columns` say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from greynb.databases.census import DATE, STAMP, source
from greynb.databases.columns import EXACT, choose, is_widened, unique_names
from greynb.databases.declared import promised
from greynb.databases.relations import ColumnCensus, Run, TableCensus

EXAMPLES = 3
LOOKED_AT = 100  # different values read to find the examples
SHOWN = 40  # characters of a value

AS_PROMISED = {
    "BOOLEAN": "typeof({c}) = 'integer' AND {c} IN (0, 1)",
    "BIGINT": "typeof({c}) = 'integer'",
    "DOUBLE": f"typeof({{c}}) = 'real' OR (typeof({{c}}) = 'integer' AND {{c}} BETWEEN -{EXACT} AND {EXACT})",
    "VARCHAR": "typeof({c}) = 'text'",
    "BLOB": "typeof({c}) = 'blob'",
    "DATE": "typeof({c}) = 'text' AND " + DATE,
    "TIMESTAMP": f"typeof({{c}}) = 'text' AND ({DATE} OR {STAMP})",
}


@dataclass(frozen=True, slots=True)
class Forcing:
    """A value that does not fit the declared type: its storage class, how it reads, in how many rows."""

    storage: str
    value: str
    count: int


@dataclass(frozen=True, slots=True)
class ColumnReport:
    """One column as users see it.

    Attributes
    ----------
    table, column
        Their names in DuckDB.
    declared
        The declared type as the schema spells it; empty where there is none.
    type
        The DuckDB type chosen.
    rows, nulls
        Rows of the table, and those where the column is NULL.
    widened
        Whether the column is read as something else than its declared type promises.
    forced_by
        The commonest values that forced it.
    """

    table: str
    column: str
    declared: str
    type: str
    rows: int
    nulls: int
    widened: bool
    forced_by: tuple[Forcing, ...]


@dataclass(frozen=True, slots=True)
class TableReport:
    """One table, view or virtual table as users see it.

    Attributes
    ----------
    kind
        ``"table"``, ``"view"`` or ``"virtual"``.
    rows
        Their number; None until a statement has named the table.
    columns
        Their number.
    problem
        Why SQLite cannot read it, else None.
    """

    name: str
    kind: str
    rows: int | None
    columns: int
    problem: str | None = None


def widening_notice(table: str, column: ColumnCensus) -> str:
    """Say in one sentence that a column is read as something else than declared, and what it holds."""
    held = ", ".join(
        f"{number:,} {kind}"
        for number, kind in (
            (column.integers, "integers"),
            (column.reals, "reals"),
            (column.texts, "texts" if column.encoding != "invalid" else "texts (not all valid UTF-8)"),
            (column.blobs, "blobs"),
        )
        if number
    )
    declared = f"declared {column.declared}" if column.declared else "declared without a type"
    return f"{table}.{column.name} is {declared} but holds {held}: read as {choose(column)}"


def column_reports(run: Run, table: TableCensus, shown: str) -> list[ColumnReport]:
    """Report the columns of a table that has been counted.

    Parameters
    ----------
    run
        Runs one SQL statement inside SQLite and returns its rows; asked for the values that widened a column.
    table
        The census of the table.
    shown
        Its name in DuckDB.
    """
    names = unique_names(column.name for column in table.columns)
    return [
        ColumnReport(
            table=shown,
            column=name,
            declared=column.declared,
            type=choose(column),
            rows=table.rows or 0,
            nulls=column.nulls,
            widened=is_widened(column),
            forced_by=forcing(run, table, number) if is_widened(column) else (),
        )
        for number, (name, column) in enumerate(zip(names, table.columns, strict=True))
    ]


def forcing(run: Run, table: TableCensus, number: int) -> tuple[Forcing, ...]:
    """Find the commonest values of a column that its declared type does not promise."""
    return tuple(each for each, _ in zip(_forcing(run, table, number), range(EXAMPLES), strict=False))


def _forcing(run: Run, table: TableCensus, number: int) -> Iterator[Forcing]:
    c, column = f"c{number}", table.columns[number]
    fits = AS_PROMISED[promised(column.declared)].format(c=c)
    if column.encoding == "invalid":
        fits = f"({fits}) AND typeof({c}) <> 'text'"
    text = f"CAST({c} AS TEXT)" if column.encoding == "utf-16" else f"hex({c})"
    rows = run(
        f"{source(table)}SELECT typeof({c}) AS t, count(*) AS n,"
        f" CASE typeof({c}) WHEN 'blob' THEN hex({c}) WHEN 'text' THEN {text} ELSE {c} END AS v FROM __s"
        f" WHERE {c} IS NOT NULL AND NOT ({fits}) GROUP BY typeof({c}), {c} ORDER BY 2 DESC LIMIT {LOOKED_AT}"
    )
    for storage, count, value in rows:
        shown = _show(str(storage), str(value), column)
        if shown is not None:
            short = shown if len(shown) <= SHOWN else shown[: SHOWN - 1] + "…"
            yield Forcing(str(storage), short, int(str(count)))


def _show(storage: str, value: str, column: ColumnCensus) -> str | None:
    """Spell a value; None for valid text in a column whose other texts are not valid UTF-8."""
    if storage == "blob":
        return f"x'{value}'"
    if storage != "text" or column.encoding == "utf-16":
        return value
    try:
        text = bytes.fromhex(value).decode()
    except UnicodeDecodeError:
        return f"x'{value}' (not UTF-8)"
    return None if column.encoding == "invalid" and promised(column.declared) == "VARCHAR" else text
