"""The table of staging whose rows move: whether they may, and which are old."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from greynb.archive.values import Row, storage
from greynb.databases.archived import JOURNAL
from greynb.databases.archivedcolumns import ArchivedColumn
from greynb.databases.census import count
from greynb.databases.columns import choose, unique_names
from greynb.databases.identifiers import fold, literal, quote
from greynb.databases.relations import ColumnCensus, TableCensus
from greynb.errors import UsageError

UNIT: Final = "greynb_unit"
"""The temporary table of the rowids that move together."""
_VIEW: Final = "greynb_unit_rows"
_OLD: Final = "greynb_old"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of staging.

    Attributes
    ----------
    name, date
        The table, and the column by which a row is old; as the schema spells them.
    sql
        Its ``CREATE TABLE``.
    rowid
        A name by which SQLite gives its rowid.
    columns
        Name, declared type, and whether SQLite computes it.
    """

    name: str
    date: str
    sql: str
    rowid: str
    columns: Sequence[tuple[str, str, bool]]

    @property
    def names(self) -> list[str]:
        """The columns by name."""
        return [name for name, _, _ in self.columns]

    def old(self, before: str) -> str:
        """The condition of rows that are old: their text begins with a day before `before`."""
        d = f"{quote(self.date)} COLLATE BINARY"
        shape = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*"
        return f"typeof({d}) = 'text' AND {d} < {literal(before)} AND {d} GLOB {literal(shape)}"


def found(con: sqlite3.Connection, name: str, date: str) -> Table:
    """Look a table up whose rows are to be moved out.

    Raises
    ------
    UsageError
        There is no such table or column, or rows cannot be moved out of it safely.
    """
    table = described(con, name, date)
    if table is None:
        tables = [str(each) for (each,) in con.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        hint = f"{_meant(name, tables)}`greynb status` says which file staging is"
        raise UsageError(f"staging has no table {name}", hint=hint)
    refuse_triggers(con, table.name, "DELETE")
    child = con.execute(
        "SELECT l.name FROM pragma_table_list AS l, pragma_foreign_key_list(l.name) AS k"
        " WHERE l.schema = 'main' AND l.type = 'table' AND lower(k.\"table\") = lower(?) LIMIT 1",
        (table.name,),
    ).fetchone()
    if child is not None:
        raise UsageError(f"{child[0]} refers to {table.name} by a foreign key: its rows would lead nowhere")
    return table


def described(con: sqlite3.Connection, name: str, date: str) -> Table | None:
    """Look a table up; None where there is none.

    Raises
    ------
    UsageError
        It has no such column, or no rowid.
    """
    row = con.execute(
        "SELECT l.name, s.sql, l.wr FROM pragma_table_list AS l JOIN sqlite_schema AS s ON s.name = l.name"
        " WHERE l.schema = 'main' AND l.type = 'table' AND lower(l.name) = lower(?)",
        (name,),
    ).fetchone()
    if row is None or row[0] == JOURNAL:
        return None
    table, sql, without_rowid = row
    listed = con.execute("SELECT name, type, hidden FROM pragma_table_xinfo(?)", (table,))
    columns = [(each, declared, hidden > 1) for each, declared, hidden in listed]
    spelled = {fold(each): each for each, _, _ in columns}
    if fold(date) not in spelled:
        names = ", ".join(spelled.values())
        raise UsageError(
            f"{table} has no column {date}", hint=f"{_meant(date, spelled.values())}columns: {names}"
        )
    rowid = next((each for each in ("rowid", "_rowid_", "oid") if each not in spelled), None)
    if without_rowid or rowid is None:
        raise UsageError(f"{table} has no rowid, so its rows cannot be archived")
    return Table(table, spelled[fold(date)], sql, rowid, columns)


def _meant(name: str, known: Iterable[str]) -> str:
    """What was probably meant, as the beginning of a hint; empty where nothing is near."""
    near = get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]}? " if near else ""


def refuse_triggers(con: sqlite3.Connection, table: str, event: str) -> None:
    """Refuse a table of whose rows a trigger would do more when they come or go.

    Raises
    ------
    UsageError
        There is one.
    """
    triggers = con.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND lower(tbl_name) = lower(?)", (table,)
    ).fetchall()
    for name, sql in triggers:
        if event in " ".join(str(sql).upper().split()).split(" BEGIN ", 1)[0].split():
            raise UsageError(
                f"the trigger {name} would run for each row of {table}",
                hint=f"drop it for the time: %staging DROP TRIGGER {quote(str(name))}",
            )


def months(con: sqlite3.Connection, table: Table, before: str) -> list[tuple[str, int]]:
    """The months of old rows, and how many rows each has."""
    return con.execute(
        f"SELECT {_month(table)} AS month, count(*) FROM main.{quote(table.name)}"
        f" WHERE {table.old(before)} GROUP BY 1 ORDER BY 1"
    ).fetchall()


def list_old(con: sqlite3.Connection, table: Table, before: str) -> list[tuple[str, int]]:
    """The same, and remember the rowids, so that the table is searched once."""
    con.execute(f"DROP TABLE IF EXISTS temp.{_OLD}")
    con.execute(f"CREATE TEMP TABLE {_OLD} (month TEXT, id INTEGER, PRIMARY KEY (month, id)) WITHOUT ROWID")
    con.execute(
        f"INSERT INTO temp.{_OLD} SELECT {_month(table)}, {table.rowid} FROM main.{quote(table.name)}"
        f" WHERE {table.old(before)}"
    )
    return con.execute(f"SELECT month, count(*) FROM temp.{_OLD} GROUP BY 1 ORDER BY 1").fetchall()


def _month(table: Table) -> str:
    return f"substr({quote(table.date)}, 1, 7)"


def undated(con: sqlite3.Connection, table: Table) -> int:
    """How many rows have no text in the column that begins as a day does; they stay."""
    old = table.old("a")  # behind all digits: every day
    return int(
        con.execute(f"SELECT count(*) FROM main.{quote(table.name)} WHERE ({old}) IS NOT TRUE").fetchone()[0]
    )


def take(con: sqlite3.Connection, table: Table, before: str, month: str, limit: int) -> int:
    """Make the next listed rows of a month those that move, if they are still old; says how many."""
    remember(con, ())
    con.execute(
        f"INSERT INTO temp.{UNIT} SELECT o.id FROM temp.{_OLD} AS o CROSS JOIN main.{quote(table.name)} AS t"
        f" ON t.{table.rowid} = o.id WHERE o.month = ? AND {_month(table)} = o.month AND {table.old(before)}"
        " ORDER BY o.id LIMIT ?",
        (month, limit),
    )
    con.execute(
        f"CREATE TEMP VIEW {_VIEW} AS SELECT t.* FROM temp.{UNIT} AS u"
        f" CROSS JOIN main.{quote(table.name)} AS t ON t.{table.rowid} = u.id"
    )
    return int(con.execute(f"SELECT count(*) FROM temp.{UNIT}").fetchone()[0])


def remember(con: sqlite3.Connection, rowids: Sequence[int]) -> None:
    """Make given rows those that move."""
    con.execute(f"DROP VIEW IF EXISTS temp.{_VIEW}")
    con.execute(f"DROP TABLE IF EXISTS temp.{UNIT}")
    con.execute(f"CREATE TEMP TABLE {UNIT} (id INTEGER PRIMARY KEY)")
    con.executemany(f"INSERT INTO temp.{UNIT} VALUES (?)", ((each,) for each in rowids))


def rows(con: sqlite3.Connection, table: str, rowid: str, names: Sequence[str]) -> list[Row]:
    """The rows that are remembered, in the order of their rowids; invalid bytes of texts as surrogates."""
    shown = ", ".join(f"t.{quote(name)}" for name in names)
    source = f"temp.{UNIT} AS u CROSS JOIN main.{quote(table)} AS t ON t.{rowid} = u.id"
    return con.execute(f"SELECT {shown} FROM {source} ORDER BY u.id").fetchall()


def columns(con: sqlite3.Connection, table: Table, values: Sequence[Row]) -> tuple[ArchivedColumn, ...]:
    """How the columns of the remembered rows, whose values are given, are stored and read."""
    uncounted = tuple(ColumnCensus(name, declared) for name, declared, _ in table.columns)
    census = count(lambda sql: con.execute(sql).fetchall(), TableCensus(_VIEW, "view", None, uncounted))
    shown = unique_names(name for name, _, _ in table.columns)
    by_column = list(zip(*values, strict=True)) if values else [()] * len(shown)
    chosen = ["VARCHAR" if census.problem else choose(each) for each in census.columns]
    return tuple(
        ArchivedColumn(name, own, storage(each), kind, made)
        for (name, _, made), own, each, kind in zip(table.columns, shown, by_column, chosen, strict=True)
    )
