"""What a private copy consists of: its tables and columns, what depends on them, and leaving some out."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from greynb.databases.identifiers import fold, quote
from greynb.databases.sqltext import tokens
from greynb.errors import PublishError
from greynb.publish.etl.patterns import column_matches, is_glob, matches
from greynb.publish.etl.plan import Plan
from greynb.publish.etl.reading import did_you_mean
from greynb.publish.etl.watching import is_stop

Notice = Callable[[str], None]
_ROWIDS: Final = ("rowid", "_rowid_", "oid")
_EVENTS: Final = {"DELETE": "DELETE FROM {t}", "INSERT": "INSERT INTO {t} DEFAULT VALUES"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column as SQLite describes it; `generated` ones cannot be written, `key` counts from 1."""

    name: str
    declared: str
    required: bool
    default: str | None
    key: int
    generated: bool


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, view or virtual table.

    Attributes
    ----------
    kind
        ``"table"``, ``"view"`` or ``"virtual"``.
    strict
        Whether only SQLite's own types may be declared.
    columns
        In order; empty for a view that does not work.
    rowid
        The name under which its rowid can be asked for, if any.
    """

    name: str
    kind: str
    strict: bool
    columns: tuple[Column, ...]
    rowid: str | None

    def column(self, name: str) -> Column | None:
        """Find a column; case does not count."""
        return next((each for each in self.columns if fold(each.name) == fold(name)), None)

    def key(self) -> tuple[str, ...]:
        """What names a row to a person: the rowid, else the primary key; nothing for views."""
        if self.rowid:
            return (self.rowid,)
        return tuple(each.name for each in sorted(self.columns, key=lambda each: each.key) if each.key)


def relations(con: sqlite3.Connection) -> dict[str, Relation]:
    """List all tables, views and virtual tables; SQLite's own and shadow tables are left out."""
    listed = con.execute(
        "SELECT name, type, wr, strict FROM pragma_table_list WHERE schema = 'main'"
        " AND type IN ('table', 'view', 'virtual') AND name NOT LIKE 'sqlite|_%' ESCAPE '|' ORDER BY name"
    ).fetchall()
    return {name: _relation(con, name, kind, bool(wr), bool(strict)) for name, kind, wr, strict in listed}


def find(found: Mapping[str, Relation], name: str, wanted_by: str) -> Relation:
    """Find a table by name, or say that it is not there and who asked for it."""
    for relation in found.values():
        if fold(relation.name) == fold(name):
            return relation
    raise PublishError(f"{wanted_by}: there is no table {name}", hint=did_you_mean(name, found))


def find_column(relation: Relation, name: str, wanted_by: str) -> Column:
    """Find a column by name, or say that it is not there and who asked for it."""
    if (column := relation.column(name)) is not None:
        return column
    hint = did_you_mean(name, [each.name for each in relation.columns])
    raise PublishError(f"{wanted_by}: {relation.name} has no column {name}", hint=hint)


def leave_out(con: sqlite3.Connection, plan: Plan, notice: Notice) -> tuple[str, ...]:
    """Drop the tables and views that the plan excludes, and what does not work without them."""
    found = relations(con)
    names = list(found)
    for pattern in (*plan.include, *plan.exclude):
        if names and not any(matches(name, pattern) for name in names):
            if pattern in plan.include and not is_glob(pattern):
                raise PublishError(
                    f"{plan.file.name}: tables.include names {pattern}, which is not there",
                    hint=did_you_mean(pattern, names),
                )
            notice(f"no table fits the pattern {pattern}")
    gone = [name for name in names if not _kept(name, plan)]
    if not gone:
        return ()
    with set_aside(con, notice) as aside:
        # The views are aside; virtual tables come first, as they take their shadow tables with them.
        for name in sorted(gone, key=lambda name: found[name].kind != "virtual"):
            if found[name].kind != "view":
                con.execute(f"DROP TABLE {quote(name)}")
            else:
                aside.discard(("view", name))
    _report_references(con, gone, notice)
    return tuple(gone)


def leave_out_columns(con: sqlite3.Connection, plan: Plan, notice: Notice) -> tuple[str, ...]:
    """Drop the columns that the plan drops, with the indexes that use them."""
    doomed: list[tuple[Relation, Column]] = []
    found = relations(con)
    for pattern in plan.drop:
        fitting = [
            (relation, column)
            for relation in found.values()
            for column in relation.columns
            if relation.kind == "table" and column_matches(relation.name, column.name, pattern)
        ]
        if not fitting:
            notice(f"no column fits the pattern {pattern}")
        doomed += [each for each in fitting if each not in doomed]
    if doomed:
        with set_aside(con, notice):
            for relation, column in doomed:
                _drop_column(con, relation, column, notice)
    return tuple(f"{relation.name}.{column.name}" for relation, column in doomed)


@contextmanager
def set_aside(con: sqlite3.Connection, notice: Notice) -> Iterator[set[tuple[str, str]]]:
    """Take views and triggers away during the block, and put back those that still work.

    SQLite refuses to alter a table that a view or a trigger needs, and any table while some view is broken.
    What was broken before stays as it was. Gives the kinds and names that are to be put back.
    """
    objects = con.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE type IN ('view', 'trigger')"
        " ORDER BY type = 'trigger', rowid"
    ).fetchall()
    working = {(kind, name): _fault(con, kind, name, on) is None for kind, name, on, _ in objects}
    for kind, name, _, _ in reversed(objects):
        con.execute(f"DROP {kind} IF EXISTS main.{quote(name)}")  # a view takes its triggers with it
    aside = {(kind, name) for kind, name, _, _ in objects}
    yield aside
    for kind, name, on, sql in objects:
        if (kind, name) in aside:
            _put_back(con, (kind, name, on, sql), working[kind, name], notice)


def number(con: sqlite3.Connection, sql: str, values: Iterable[object] = ()) -> int:
    """Ask for one number."""
    return int(con.execute(sql, tuple(values)).fetchone()[0])


def _relation(con: sqlite3.Connection, name: str, kind: str, wr: bool, strict: bool) -> Relation:
    try:
        described = con.execute(
            'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)'
            " WHERE hidden <> 1 ORDER BY cid",
            (name,),
        ).fetchall()
    except sqlite3.OperationalError as error:  # a view of something that is gone
        if is_stop(error):
            raise
        described = []
    columns = tuple(
        Column(column, declared, bool(required), default, key, hidden in (2, 3))
        for column, declared, required, default, key, hidden in described
    )
    taken = {fold(column.name) for column in columns}
    free = next((each for each in _ROWIDS if each not in taken), None)
    return Relation(name, kind, strict, columns, None if wr or kind != "table" else free)


def _kept(name: str, plan: Plan) -> bool:
    included = any(matches(name, pattern) for pattern in plan.include)
    return included and not any(matches(name, pattern) for pattern in plan.exclude)


def _put_back(con: sqlite3.Connection, what: tuple[str, str, str, str], worked: bool, notice: Notice) -> None:
    kind, name, on, sql = what
    try:
        con.execute(sql)
        fault = _fault(con, kind, name, on) if worked else None
    except sqlite3.OperationalError as error:
        if is_stop(error):
            raise
        fault = str(error)
        if kind == "trigger" and number(con, "SELECT count(*) FROM sqlite_schema WHERE name = ?", [on]) == 0:
            return  # its table is gone, which nobody needs to be told
    if fault is not None:
        con.execute(f"DROP {kind} IF EXISTS main.{quote(name)}")
        notice(f"the {kind} {name} was dropped, as it does not work any more: {fault}")


def _fault(con: sqlite3.Connection, kind: str, name: str, on: str) -> str | None:
    """Why a view cannot be read, or a statement that fires a trigger cannot be compiled."""
    statement = f"SELECT * FROM main.{quote(name)}" if kind == "view" else _firing(con, name, on)
    # sqlite3 keeps compiled statements, and an EXPLAIN does not notice that the schema has changed.
    version = number(con, "PRAGMA schema_version")
    try:
        con.execute(f"EXPLAIN {statement} /* {version} */").fetchone()
    except sqlite3.OperationalError as error:
        if is_stop(error):
            raise
        return str(error)
    return None


def _firing(con: sqlite3.Connection, trigger: str, on: str) -> str:
    (sql,) = con.execute(
        "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?", (trigger,)
    ).fetchone()
    words = [token.text.upper() for token in tokens(sql, "sqlite") if token.kind == "name"]
    event = next(word for word in words if word in ("DELETE", "INSERT", "UPDATE"))
    if event in _EVENTS:
        return _EVENTS[event].format(t=f"main.{quote(on)}")
    columns = con.execute("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0", (on,)).fetchall()
    changes = ", ".join(f"{quote(name)} = {quote(name)}" for (name,) in columns)
    return f"UPDATE main.{quote(on)} SET {changes}"


def _report_references(con: sqlite3.Connection, gone: Iterable[str], notice: Notice) -> None:
    folded = {fold(name) for name in gone}
    for table, parent in con.execute(
        'SELECT DISTINCT t.name, f."table" FROM pragma_table_list AS t, pragma_foreign_key_list(t.name) AS f'
        " WHERE t.schema = 'main' AND t.type = 'table' ORDER BY 1, 2"
    ).fetchall():
        if fold(parent) in folded:
            notice(f"{table} refers to {parent}, which is left out")


def _drop_column(con: sqlite3.Connection, relation: Relation, column: Column, notice: Notice) -> None:
    for (index,) in con.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
        (relation.name,),
    ).fetchall():
        if _uses(con, index, column.name):
            con.execute(f"DROP INDEX {quote(index)}")
            notice(f"the index {index} was dropped with the column {relation.name}.{column.name}")
    try:
        con.execute(f"ALTER TABLE {quote(relation.name)} DROP COLUMN {quote(column.name)}")
    except sqlite3.OperationalError as error:
        if is_stop(error):
            raise
        raise PublishError(
            f"the column {relation.name}.{column.name} cannot be dropped: {error}",
            hint="a key or a rule of the table needs it; make the table anew in a transform, without it",
        ) from error


def _uses(con: sqlite3.Connection, index: str, column: str) -> bool:
    """Whether an index names a column, also in an expression or a condition."""
    (sql,) = con.execute(
        "SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = ?", (index,)
    ).fetchone()
    plain = [name for (name,) in con.execute("SELECT name FROM pragma_index_info(?)", (index,)) if name]
    words = [token.text.strip('"`[]') for token in tokens(sql, "sqlite") if token.kind in ("name", "quoted")]
    upper = [word.upper() for word in words]
    behind = words[upper.index("ON") + 2 :]  # behind the table's name
    return any(fold(name) == fold(column) for name in (*plain, *behind))
