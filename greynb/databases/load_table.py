"""The table that rows are loaded into: its columns and keys, and whether a frame fits it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from greynb.databases.identifiers import fold, quote
from greynb.databases.load_values import declared_type
from greynb.errors import LoadError

if TYPE_CHECKING:
    import pandas as pd

    from greynb.databases.load_request import OnConflict


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name
        As declared.
    declared
        Its declared type, as written; empty where there is none.
    required
        Whether a row must give it: NOT NULL, no default, and not numbered by the database itself.
    generated
        Whether the database computes it.
    """

    name: str
    declared: str
    required: bool
    generated: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table as far as loading needs to know it.

    Attributes
    ----------
    name
        As declared.
    columns
        By folded name, in order.
    unique
        The column sets (folded names) that an upsert may use: the primary key and full unique indexes; an
        empty one stands for a unique index that is partial or over an expression.
    """

    name: str
    columns: dict[str, Column]
    unique: tuple[frozenset[str], ...]


def describe(con: sqlite3.Connection, name: str) -> Table | None:
    """Look a table up in the main database, by name without regard to case; None where there is none.

    Raises
    ------
    LoadError
        The name is that of a view.
    """
    found = con.execute(
        "SELECT name, type FROM main.sqlite_master "
        "WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE",
        (name,),
    ).fetchone()
    if found is None:
        return None
    if found[1] == "view":
        raise LoadError(f"{found[0]} is a view", hint="load into the table that it reads")
    declared = con.execute(
        "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?, 'main')",
        (found[0],),
    ).fetchall()
    indexes = con.execute(
        "SELECT name, origin, NOT partial FROM pragma_index_list(?, 'main') WHERE \"unique\"", (found[0],)
    ).fetchall()
    primary = frozenset(fold(row[0]) for row in declared if row[4])
    # A primary key without an index of its own is the rowid, which SQLite numbers where none is given.
    rowid = primary if all(origin != "pk" for _, origin, _ in indexes) else frozenset()
    columns = {
        fold(column): Column(
            name=column,
            declared=kind,
            required=bool(not_null) and default in (None, "NULL") and fold(column) not in rowid,
            generated=hidden in (2, 3),
        )
        for column, kind, not_null, default, _, hidden in declared
    }
    unique = [_index_columns(con, index) if full else frozenset[str]() for index, _, full in indexes]
    return Table(found[0], columns, (*((primary,) if primary else ()), *unique))


def _index_columns(con: sqlite3.Connection, index: str) -> frozenset[str]:
    names = [row[0] for row in con.execute("SELECT name FROM pragma_index_info(?, 'main')", (index,))]
    return frozenset() if None in names else frozenset(map(fold, names))  # None: an expression


def new_table(frame: pd.DataFrame, name: str, key: Sequence[str]) -> tuple[Table, str]:
    """Plan a table for a frame: what it will be, and the statement that creates it.

    Parameters
    ----------
    frame
        The frame; its column types become the declared ones.
    name
        The table's name.
    key
        The primary key, may be empty; each one of the frame's columns.
    """
    keys = frozenset(map(fold, key))
    columns = {
        fold(str(label)): Column(str(label), declared_type(series), required=False, generated=False)
        for label, series in frame.items()
    }
    lines = [
        f"{quote(column.name)} {column.declared}".rstrip() + (" NOT NULL" if each in keys else "")
        for each, column in columns.items()
    ]
    if key:
        lines.append(f"PRIMARY KEY ({', '.join(map(quote, key))})")
    return Table(name, columns, (keys,)), f"CREATE TABLE main.{quote(name)} ({', '.join(lines)})"


def missing_table(con: sqlite3.Connection, name: str) -> LoadError:
    """Build the error for a table that is not there, with the names that come close."""
    rows = con.execute(
        "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    )
    meant = _meant(name, [row[0] for row in rows])
    return LoadError(f"there is no table {name}{meant}", hint="say create=True to have it created")


def check_names(names: Sequence[object], key: Sequence[str]) -> None:
    """Check a frame's column names by themselves.

    Raises
    ------
    LoadError
        A name is no text or comes twice, there are none, or a key column is missing.
    """
    if not names:
        raise LoadError("the frame has no columns")
    seen: set[str] = set()
    for name in names:
        if not isinstance(name, str):
            raise LoadError(f"the column name {name!r} is not text", hint="rename the frame's columns")
        if fold(name) in seen:
            raise LoadError(f"the frame has the column {name} twice (names ignore case)")
        seen.add(fold(name))
    for column in key:
        if fold(column) not in seen:
            raise LoadError(f"the key column {column} is not in the frame{_meant(column, map(str, names))}")


def check_fit(table: Table, names: Sequence[str], key: Sequence[str], on_conflict: OnConflict) -> None:
    """Check a frame's columns against the table.

    Parameters
    ----------
    table
        The table.
    names
        The frame's column names.
    key
        The key columns, each one of `names`.
    on_conflict
        What happens to a row that meets an existing one; unless that is an error, something must be unique.

    Raises
    ------
    LoadError
        A column is unknown, generated or missing, the key is not unique, or no row could be ignored.
    """
    for name in names:
        column = table.columns.get(fold(name))
        if column is None:
            known = [column.name for column in table.columns.values()]
            raise LoadError(
                f"table {table.name} has no column {name}{_meant(name, known)}",
                hint=f"its columns: {', '.join(known)}",
            )
        if column.generated:
            raise LoadError(
                f"the column {column.name} of table {table.name} is generated by the database",
                hint=f"drop it first: df.drop(columns={name!r})",
            )
    given = set(map(fold, names))
    missing = [
        column.name
        for folded_name, column in table.columns.items()
        if column.required and folded_name not in given
    ]
    if missing:
        raise LoadError(
            f"the frame lacks {', '.join(missing)}: NOT NULL without a default in table {table.name}"
        )
    if on_conflict != "error":
        _check_unique(table, given, key)


def _check_unique(table: Table, given: set[str], key: Sequence[str]) -> None:
    """Refuse a load of which no row could meet an existing one: it would add all of them at each run."""
    if key and frozenset(map(fold, key)) not in table.unique:
        raise LoadError(
            f"no unique index of table {table.name} covers exactly the key ({', '.join(key)})",
            hint=f"run: {_unique_index(table.name, key)}",
        )
    if not key and not any(not each or each & given for each in table.unique):
        raise LoadError(
            f"no row could be ignored: table {table.name} has no unique index over columns of the frame",
            hint="create one over the columns that identify a row",
        )


def _unique_index(table: str, key: Sequence[str]) -> str:
    name = quote("_".join(("ux", table, *key)))
    return f"CREATE UNIQUE INDEX {name} ON {quote(table)} ({', '.join(map(quote, key))})"


def _meant(name: str, known: Iterable[str]) -> str:
    by_folded = {fold(each): each for each in known}
    close = get_close_matches(fold(name), by_folded, n=1)
    return f"; did you mean {by_folded[close[0]]}?" if close else ""
