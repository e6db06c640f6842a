"""The tables, views and virtual tables of a SQLite file, and what a census says about their columns."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import duckdb

from greynb.databases.identifiers import literal

Run = Callable[[str], Sequence[Sequence[object]]]
REFUSALS = (sqlite3.Error, duckdb.Error)


@dataclass(frozen=True, slots=True)
class ColumnCensus:
    """What one column holds.

    Attributes
    ----------
    name, declared
        As the schema spells them; `declared` is empty where no type is declared.
    nulls, integers, reals, texts, blobs
        Rows per storage class.
    low, high
        The smallest and the largest integer, where that was needed, else None.
    dates, stamps
        How many of the texts are valid ISO dates, or timestamps without zone of at most microseconds;
        looked at only in columns declared as dates or times.
    encoding
        ``"utf-8"``; ``"invalid"`` where some text is not valid UTF-8; ``"utf-16"`` for a file of that
        encoding.
    """

    name: str
    declared: str
    nulls: int = 0
    integers: int = 0
    reals: int = 0
    texts: int = 0
    blobs: int = 0
    low: int | None = None
    high: int | None = None
    dates: int = 0
    stamps: int = 0
    encoding: str = "utf-8"


@dataclass(frozen=True, slots=True)
class TableCensus:
    """What one table, view or virtual table holds.

    Attributes
    ----------
    kind
        ``"table"``, ``"view"`` or ``"virtual"``.
    rows
        Their number; None before they were counted.
    problem
        SQLite's message where it cannot read the relation (a view of a table that is gone), else None.
    """

    name: str
    kind: str
    rows: int | None
    columns: tuple[ColumnCensus, ...]
    problem: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Give plain dictionaries and lists, for a manifest."""
        return asdict(self) | {"columns": [asdict(column) for column in self.columns]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TableCensus:
        """Read back what `to_json` gave."""
        return cls(**{**data, "columns": tuple(ColumnCensus(**column) for column in data["columns"])})


def list_relations(run: Run) -> dict[str, TableCensus]:
    """List every table, view and virtual table with its columns, without counting anything.

    Shadow tables of virtual tables and SQLite's own tables are left out, and so is a table whose name is
    not valid UTF-8: nobody could type it.

    Parameters
    ----------
    run
        Runs one SQL statement inside SQLite and returns its rows; numbers may come back as text.
    """
    codec = encoding_of(run)
    listed = run(
        "SELECT hex(name), type FROM pragma_table_list WHERE schema = 'main'"
        " AND type IN ('table', 'view', 'virtual') AND name NOT LIKE 'sqlite|_%' ESCAPE '|' ORDER BY name"
    )
    kinds = {name: str(kind) for raw, kind in listed if (name := _name(raw, codec)) is not None}
    try:
        columns = _columns(run, codec)
    except REFUSALS as error:  # one broken view spoils the list of all
        stop_if_interrupted(error)
        return {name: _alone(run, name, kind, codec) for name, kind in kinds.items()}
    return {name: _relation(name, kind, columns.get(name, [])) for name, kind in kinds.items()}


def encoding_of(run: Run) -> str:
    """Ask for the text encoding of the file, as Python names it: ``utf-8``, ``utf-16le`` or ``utf-16be``."""
    return str(run("PRAGMA encoding")[0][0]).lower()


def run_inside(con: duckdb.DuckDBPyConnection, alias: str, sql: str) -> Sequence[Sequence[object]]:
    """Run one statement inside the SQLite that an attached file is read with, and return its rows."""
    return con.execute(f"SELECT * FROM sqlite_query({literal(alias)}, {literal(sql)})").fetchall()


def same_columns(one: TableCensus, other: TableCensus) -> bool:
    """Whether two versions of a table have the same columns, declared alike, in the same order."""
    return [(each.name, each.declared) for each in one.columns] == [
        (each.name, each.declared) for each in other.columns
    ]


def stop_if_interrupted(error: Exception) -> None:
    """Raise the error again if it only says that the user stopped the statement."""
    if isinstance(error, duckdb.InterruptException) or str(error) == "interrupted":
        raise error


def first_line(error: Exception) -> str:
    """Give the message of an engine without what it adds below."""
    return str(error).partition("\n")[0]


def _columns(run: Run, codec: str, only: str | None = None) -> dict[str, list[tuple[str, str]]]:
    chosen = "" if only is None else f" AND l.name = {literal(only)}"
    rows = run(
        "SELECT hex(l.name), hex(x.name), hex(x.type) FROM pragma_table_list AS l"
        " JOIN pragma_table_xinfo(l.name, 'main') AS x"
        f" WHERE l.schema = 'main' AND x.hidden <> 1 AND l.type <> 'shadow'{chosen} ORDER BY l.name, x.cid"
    )
    columns: dict[str, list[tuple[str, str]]] = {}
    for table, *column in rows:
        name, declared = (_bytes(raw).decode(codec, errors="replace") for raw in column)
        columns.setdefault(_bytes(table).decode(codec, errors="replace"), []).append((name, declared))
    return columns


def _alone(run: Run, name: str, kind: str, codec: str) -> TableCensus:
    try:
        return _relation(name, kind, _columns(run, codec, name).get(name, []))
    except REFUSALS as error:
        stop_if_interrupted(error)
        return TableCensus(name, kind, None, (), problem=first_line(error))


def _relation(name: str, kind: str, columns: Sequence[tuple[str, str]]) -> TableCensus:
    problem = None if columns else f"SQLite cannot read the columns of {name}"
    return TableCensus(name, kind, None, tuple(ColumnCensus(*column) for column in columns), problem)


def _name(raw: object, codec: str) -> str | None:
    try:
        return _bytes(raw).decode(codec)
    except UnicodeDecodeError:
        return None


def _bytes(raw: object) -> bytes:
    return bytes.fromhex(str(raw or ""))
