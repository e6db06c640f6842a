"""Writing a table anew with other declared types.

SQLite cannot change a declared type, and an UPDATE would fire triggers; so it is done much as
https://www.sqlite.org/lang_altertable.html#otheralter describes. Keys, rules, rowids, indexes, triggers and
the counter of AUTOINCREMENT stay.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from greynb.databases.identifiers import quote
from greynb.errors import PublishError
from greynb.publish.etl.declaring import retyped
from greynb.publish.etl.tables import Relation, number, relations
from greynb.publish.etl.watching import is_stop

_OLD: Final = "greynb_before"
_MOST_COLUMNS: Final = 2_000  # of a result, unless SQLite was built otherwise


def rewrite(
    con: sqlite3.Connection, relation: Relation, types: Mapping[str, str], expressions: Mapping[str, str]
) -> None:
    """Make the table anew and copy its rows.

    Parameters
    ----------
    con
        Inside a transaction, with foreign keys off.
    relation
        The table.
    types
        By column, what to declare instead.
    expressions
        By column, SQL over the old row; a column that is not named is copied.

    Raises
    ------
    PublishError
        The statement that made the table is not understood.
    """
    name, old = relation.name, _free_name(con)
    sql, *_ = con.execute(
        "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", (name,)
    ).fetchone()
    dependent = con.execute(
        "SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND type IN ('index', 'trigger')"
        " AND sql IS NOT NULL ORDER BY rowid",
        (name,),
    ).fetchall()
    copied = [each.name for each in relation.columns if not each.generated]
    targets = [quote(each) for each in copied]
    sources = [expressions.get(each, quote(each)) for each in copied]
    if relation.rowid and len(copied) < _MOST_COLUMNS:
        targets, sources = [quote(relation.rowid), *targets], [quote(relation.rowid), *sources]
    with _tolerant(con):
        try:
            con.execute(f"ALTER TABLE {quote(name)} RENAME TO {quote(old)}")
        except sqlite3.OperationalError as error:
            if is_stop(error):
                raise
            raise PublishError(
                f"the types of {name} cannot be changed: {error}",
                hint="a rule that names its own table (CHECK (t.a > 0)) is in the way",
            ) from error
        con.execute(retyped(sql, types))
        con.execute(
            f"INSERT INTO main.{quote(name)} ({', '.join(targets)})"
            f" SELECT {', '.join(sources)} FROM main.{quote(old)}"
        )
        _keep_counter(con, name, old)
        con.execute(f"DROP TABLE {quote(old)}")
        for (each,) in dependent:
            con.execute(each)
    after = relations(con)[name]
    expected = [replace(each, declared=types.get(each.name, each.declared)) for each in relation.columns]
    if list(after.columns) != expected:
        raise PublishError(f"the types of {name} cannot be changed: its CREATE TABLE is not understood")


@contextmanager
def _tolerant(con: sqlite3.Connection) -> Iterator[None]:
    """Rename tables without touching what refers to them, and copy rows that break a CHECK as they are."""
    for pragma in ("legacy_alter_table", "ignore_check_constraints"):
        con.execute(f"PRAGMA {pragma} = ON")
    try:
        yield
    finally:
        for pragma in ("legacy_alter_table", "ignore_check_constraints"):
            con.execute(f"PRAGMA {pragma} = OFF")


def _keep_counter(con: sqlite3.Connection, name: str, old: str) -> None:
    """Give the new table the counter of AUTOINCREMENT, which remembers deleted rows."""
    if not number(con, "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'"):
        return
    counter = con.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (old,)).fetchone()
    if counter is not None:
        con.execute("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
        con.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, counter[0]))


def _free_name(con: sqlite3.Connection) -> str:
    name = _OLD
    while number(con, "SELECT count(*) FROM sqlite_schema WHERE lower(name) = ?", [name]):
        name += "_"
    return name
