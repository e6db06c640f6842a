"""The views of staging in a published file: those that SQLite understands as PostgreSQL does."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from greynb.databases.identifiers import quote
from greynb.postgres.portable import Kind, NotPortable
from greynb.postgres.portableviews import view


@dataclass(frozen=True, slots=True)
class View:
    """One view of PostgreSQL.

    Attributes
    ----------
    name
        Its name.
    definition
        Its SELECT, as PostgreSQL spells it.
    kinds
        What each of its columns is in a condition, in order.
    """

    name: str
    definition: str
    kinds: Mapping[str, Kind]


def make_views(
    lite: sqlite3.Connection, views: Sequence[View], tables: Mapping[str, Mapping[str, Kind]]
) -> list[str]:
    """Have the views in a file that it can have, and no others.

    Parameters
    ----------
    lite
        The file, with its tables.
    views
        All views of staging.
    tables
        The columns of each table in the file.

    Returns
    -------
    list of str
        The names of views that the file does not have.
    """
    wanted = _statements(views, tables)
    for name, sql in lite.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'view'").fetchall():
        if wanted.get(name) != sql:
            lite.execute(f"DROP VIEW {quote(name)}")
    by_name = {each.name: each for each in views}
    made = {name for name, sql in wanted.items() if _made(lite, by_name[name], sql)}
    return [each.name for each in views if each.name not in made]


def _statements(views: Sequence[View], tables: Mapping[str, Mapping[str, Kind]]) -> dict[str, str]:
    """The statements that make views, those first that others read from."""
    known, found = dict(tables), {}
    left = list(views)
    while left:
        waiting = []
        for each in left:
            try:
                found[each.name] = f"CREATE VIEW {quote(each.name)} AS {view(each.definition, known)}"
                known[each.name] = each.kinds
            except NotPortable:
                waiting.append(each)
        if len(waiting) == len(left):
            break
        left = waiting
    return found


def _made(lite: sqlite3.Connection, wanted: View, sql: str) -> bool:
    """Make one, unless it is there; it must have the columns that PostgreSQL's has."""
    name = quote(wanted.name)
    try:
        if not lite.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (wanted.name,)).fetchall():
            lite.execute(sql)
        columns = [each[0] for each in lite.execute(f"SELECT * FROM {name} LIMIT 0").description]
    except sqlite3.OperationalError:
        columns = []
    if columns != list(wanted.kinds):
        lite.execute(f"DROP VIEW IF EXISTS {name}")
        return False
    return True
