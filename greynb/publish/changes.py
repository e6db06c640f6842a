"""What changed between two published versions: counted per table, and the rows themselves."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from greynb.databases.generations import Generation, generation_at, generations, home_of, own_target
from greynb.databases.identifiers import fold
from greynb.errors import PublishError
from greynb.publish.changedrows import ALL, NoIdentity, count, events, exact_text, reading, rows, side
from greynb.publish.changeset import Event, FileChanges, SchemaChange, TableCounts, framed
from greynb.publish.pages import TableChange, changed_file
from greynb.publish.versions import named

if TYPE_CHECKING:
    import pandas as pd

_VIRTUAL = "a virtual table: its shadow tables are counted"


def changes(old: Path, new: Path) -> FileChanges:
    """Count what changed between two versions, exactly and for any writer.

    A row is known by its declared primary key, else by its rowid. So an UPDATE that changes the key counts
    as a deletion and an insertion, REPLACE of a row with the same key as an update, and ``VACUUM``, which
    may renumber the rows of a table without any key, as changes of all of those. Rows are compared over the
    columns that both versions have. Values of different storage class differ (1, 1.0, '1').

    Parameters
    ----------
    old, new
        Two still SQLite files, usually of two generations.

    Raises
    ------
    PublishError
        A file is damaged or cannot be read.
    """
    found = changed_file(old, new)
    try:
        with reading(old) as before, reading(new) as after:
            schemas = _schema(before), _schema(after)
            tables = [_counted(before, after, found.tables[name], schemas) for name in sorted(found.tables)]
    except sqlite3.Error as error:
        raise PublishError(f"the versions cannot be compared ({error})", path=new) from error
    return FileChanges(old, new, tuple(tables), tuple(_schema_changes(*schemas)), found.pages)


def changed_rows(old: Path, new: Path, table: str, limit: int | None = None) -> pd.DataFrame:
    """The rows of one table that differ, before and after.

    Parameters
    ----------
    old, new
        As in `changes`.
    table
        Its name, as the schema spells it.
    limit
        At most so many changed rows.

    Returns
    -------
    DataFrame
        Column `change` (``"inserted"``, ``"updated"``, ``"deleted"``) and column `version` (``"before"``,
        ``"after"``; an updated row has one line of each), then the columns that both versions have.

    Raises
    ------
    PublishError
        There is no such table, or its rows cannot be matched.
    """
    found = changed_file(old, new).tables
    if table not in found:
        raise PublishError(
            f"neither version has a table {table!r}", hint=f"tables: {', '.join(sorted(found))}"
        )
    try:
        with reading(old) as before, reading(new) as after:
            names, stream = _stream(before, after, found[table])
            return framed(islice(stream, limit), names)
    except (sqlite3.Error, NoIdentity) as error:
        raise PublishError(f"the rows of {table} cannot be compared ({error})", path=new) from error


def two_versions(
    target: Path, first: str | int | None = None, second: str | int | None = None
) -> tuple[Generation, Generation]:
    """The versions to compare: by default the one before the current, and the current one.

    Parameters
    ----------
    target
        The path that users open.
    first, second
        ``"gen-000042"``, ``"42"`` or 42; the second is the current version where left out.

    Raises
    ------
    PublishError
        There is no such version, or no two of them.
    """
    target = own_target(target)
    there = {each.folder.name: each for each in generations(home_of(target)) if each.database.exists()}
    hint = f"versions: {', '.join(sorted(there))}" if there else "publish one with `greynb sync`"

    def find(version: str | int) -> Generation:
        name = named(version)
        if name not in there:
            raise PublishError(f"there is no version {name}", path=target, hint=hint)
        return there[name]

    new = find(second) if second is not None else generation_at(target)
    if new is None:
        raise PublishError("analytics is no published version", path=target, hint="run `greynb sync`")
    if first is not None:
        return find(first), new
    older = [each for each in there.values() if each.number < new.number]
    if not older:
        raise PublishError(f"there is no version before {new.folder.name}", path=target, hint=hint)
    return max(older, key=lambda each: each.number), new


def _counted(
    before: sqlite3.Connection,
    after: sqlite3.Connection,
    change: TableChange,
    schemas: tuple[_Schema, _Schema],
) -> TableCounts:
    name, kind = change.name, change.kind
    if kind == "same":
        return TableCounts(name, kind)
    if any(schema.get(("table", name), ("", 1))[1] == 0 for schema in schemas):
        return TableCounts(name, kind, None, None, None, _VIRTUAL)
    try:
        if kind == "added":
            return TableCounts(name, kind, inserted=count(side(after, name)))
        if kind == "dropped":
            return TableCounts(name, kind, deleted=count(side(before, name)))
        return TableCounts(name, kind, *_numbers(before, after, change), change.reason)
    except (sqlite3.Error, NoIdentity) as error:
        return TableCounts(name, kind, None, None, None, f"not counted: {error}")


def _numbers(
    before: sqlite3.Connection, after: sqlite3.Connection, change: TableChange
) -> tuple[int, int, int]:
    """Inserted, updated and deleted rows."""
    for factory in (str, exact_text):  # the second is slower, and needed for texts that are not valid UTF-8
        before.text_factory = after.text_factory = factory
        try:
            inserted = updated = deleted = 0
            for was, now in _stream(before, after, change)[1]:
                inserted += was is None
                deleted += now is None
                updated += was is not None and now is not None
            return inserted, updated, deleted
        except sqlite3.OperationalError as error:
            if factory is exact_text or "decode" not in str(error):
                raise
        finally:
            before.text_factory = after.text_factory = exact_text
    raise AssertionError("one of the two has returned or raised")


def _stream(
    before: sqlite3.Connection, after: sqlite3.Connection, change: TableChange
) -> tuple[tuple[str, ...], Iterator[Event]]:
    """The columns that both versions have, and the rows that differ in them."""
    name = change.name
    if change.kind == "added":
        table = side(after, name)
        return table.columns, ((None, row) for row in rows(table, table.columns))
    if change.kind == "dropped":
        table = side(before, name)
        return table.columns, ((row, None) for row in rows(table, table.columns))
    old, new = side(before, name), side(after, name)
    had = set(map(fold, old.columns))
    columns = tuple(column for column in new.columns if fold(column) in had)
    if change.kind == "same":
        return columns, iter(())
    return columns, events(old, new, columns, change.spans if change.kind == "ranges" else ALL)


_Schema = Mapping[tuple[str, str], tuple[str, int]]


def _schema(con: sqlite3.Connection) -> _Schema:
    """SQL and root page of each object but SQLite's own, by type and name."""
    rows = con.execute(
        "SELECT type, name, coalesce(sql, ''), coalesce(rootpage, 0) FROM sqlite_schema"
        " WHERE name NOT LIKE 'sqlite|_%' ESCAPE '|' ORDER BY type, name"
    )
    return {(kind, name): (sql, root) for kind, name, sql, root in rows}


def _schema_changes(old: _Schema, new: _Schema) -> Iterator[SchemaChange]:
    for kind, name in sorted({*old, *new}):
        was, now = old.get((kind, name)), new.get((kind, name))
        if was is None or now is None:
            yield SchemaChange(kind, name, "added" if was is None else "dropped")
        elif was[0] != now[0]:
            yield SchemaChange(kind, name, "changed")
