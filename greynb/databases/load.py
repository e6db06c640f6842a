"""Loading a DataFrame into a SQLite table: all rows or none, counted, and quick."""

from __future__ import annotations

import itertools
import operator
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from greynb.databases.identifiers import fold, quote
from greynb.databases.load_faults import row_error, value_error
from greynb.databases.load_request import LoadResult, OnConflict, fitting_table, keys_of
from greynb.databases.load_table import Table, describe, missing_table, new_table
from greynb.databases.load_values import Convert, UnstorableValue, as_pandas, converter
from greynb.databases.sqlite import atomic, file_error
from greynb.errors import GreynbError, LoadError, QueryInterrupted

_BATCH: Final = 25_000  # rows between two calls of progress; smaller ones were slower
_TOGETHER: Final = 50
"""Rows that one statement inserts: a third less time than row by row; more rows are no quicker."""

_VALUES: Final = 1_000  # of all rows of one statement
_counter_names = map("greynb_updated_{}".format, itertools.count())


def load_frame(
    con: sqlite3.Connection,
    df: object,
    table: str,
    *,
    key: str | Sequence[str] | None = None,
    on_conflict: OnConflict = "error",
    create: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> LoadResult:
    """Load the rows of a frame into a table, in one transaction (a savepoint inside the caller's).

    `con.interrupt()` from another thread stops it, and nothing is loaded then; SQLite undoes all of the
    caller's transaction with it.

    Parameters
    ----------
    con
        A writable connection.
    df
        A pandas, polars or Arrow table; its index is not loaded.
    table
        A table of the main database.
    key
        The column or columns that say which row is the same one. They need a unique index (or to be the
        primary key) unless `on_conflict` is ``"error"``.
    on_conflict
        What happens to a row that meets an existing one: the whole load fails, the row is left out, or it
        writes the frame's columns over the existing row. ``"ignore"`` without a key goes by every unique
        index; a violated NOT NULL, CHECK or foreign key fails always.
    create
        Create the table where it does not exist, with types from the frame and `key` as primary key.
    progress
        Called after each batch with the rows done and the rows there are.

    Raises
    ------
    LoadError
        The frame does not fit the table; the message names row and column where it is one row's fault.
    QueryInterrupted
        It was interrupted.
    DatabaseLocked
        Another connection kept the file locked for longer than this one waits.
    """
    started = time.perf_counter()
    frame = as_pandas(df)
    if frame is None:
        raise LoadError(f"a {type(df).__name__} is not a table", hint="pass a pandas, polars or Arrow table")
    plan = _planned(con, frame, table, key, on_conflict, create)
    with _errors(con), plan.counter.registered(con), atomic(con), _interruptible(con):
        if plan.create_sql:
            con.execute(plan.create_sql)
        changed = _insert(con, frame, plan, progress)
    updated = plan.counter.count
    return LoadResult(
        table=plan.table.name,
        inserted=changed - updated,
        updated=updated,
        ignored=len(frame) - changed,
        created=plan.create_sql is not None,
        seconds=time.perf_counter() - started,
    )


class _Counter:
    """Counts the rows of an upsert that update: SQLite calls it once for each of them.

    `total_changes` and `rowcount` count an insert and an update alike, and a count of the table before and
    after would read all of it.
    """

    def __init__(self) -> None:
        self.name = next(_counter_names)
        self.count = 0

    @contextmanager
    def registered(self, con: sqlite3.Connection) -> Iterator[None]:
        con.create_function(self.name, 0, self._tick)
        try:
            yield
        finally:
            # SQLite keeps a function while any cursor of the connection is half-read; the name is unique.
            with suppress(sqlite3.OperationalError):
                con.create_function(self.name, 0, None)

    def _tick(self) -> int:
        self.count += 1
        return 1


@dataclass(frozen=True, slots=True)
class _Plan:
    table: Table
    names: tuple[str, ...]
    conflict: str
    create_sql: str | None
    together: int
    counter: _Counter

    def insert_sql(self, rows: int) -> str:
        """The statement that inserts so many rows at once."""
        values = ", ".join([f"({', '.join('?' * len(self.names))})"] * rows)
        columns = ", ".join(map(quote, self.names))
        conflict = self.conflict
        return f"INSERT INTO main.{quote(self.table.name)} ({columns}) VALUES {values} {conflict}"


def _planned(
    con: sqlite3.Connection,
    frame: pd.DataFrame,
    table: str,
    key: str | Sequence[str] | None,
    on_conflict: OnConflict,
    create: bool,
) -> _Plan:
    keys = keys_of(key, on_conflict)
    found = describe(con, table)
    if found is None and not create:
        raise missing_table(con, table)
    described, create_sql = fitting_table(
        frame, keys, on_conflict, found, lambda: new_table(frame, table, keys)
    )
    names: list[Any] = frame.columns.tolist()
    counter = _Counter()
    conflict = _conflict_sql(names, keys, on_conflict, counter.name)
    together = _together(con, described.name, len(names))
    return _Plan(described, tuple(names), conflict, create_sql, together, counter)


def _together(con: sqlite3.Connection, table: str, columns: int) -> int:
    """How many rows are inserted by one statement.

    A foreign key is checked at its end: where rows refer to rows of the same table, to later ones would do
    if they were inserted together, depending on how the rows are divided.
    """
    parents = con.execute('SELECT lower("table") FROM pragma_foreign_key_list(?)', (table,)).fetchall()
    if (table.lower(),) in parents:
        return 1
    limit = min(_VALUES, con.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER))
    return max(1, min(_TOGETHER, limit // columns))


def _conflict_sql(names: Sequence[str], key: Sequence[str], on_conflict: OnConflict, counter: str) -> str:
    if on_conflict == "error":
        return ""
    target = f"({', '.join(map(quote, key))})" if key else ""
    keys = set(map(fold, key))
    written = [f"{quote(name)} = excluded.{quote(name)}" for name in names if fold(name) not in keys]
    if on_conflict == "ignore" or not written:
        return f"ON CONFLICT {target} DO NOTHING"
    return f"ON CONFLICT {target} DO UPDATE SET {', '.join(written)} WHERE {counter}()"


def _insert(
    con: sqlite3.Connection,
    frame: pd.DataFrame,
    plan: _Plan,
    progress: Callable[[int, int], None] | None,
) -> int:
    converters = [
        converter(dtype, dates=plan.table.columns[fold(name)].declared.upper() == "DATE")
        for name, dtype in zip(plan.names, frame.dtypes, strict=True)
    ]
    changed = 0
    for start in range(0, len(frame), _BATCH):
        batch = frame.iloc[start : start + _BATCH]
        changed += _insert_batch(con, plan, start, _values(batch, start, converters, plan))
        if progress:
            progress(start + len(batch), len(frame))
    return changed


def _values(
    batch: pd.DataFrame, start: int, converters: Sequence[Convert], plan: _Plan
) -> list[list[object]]:
    columns = []
    for position, convert in enumerate(converters):
        try:
            columns.append(convert(batch.iloc[:, position]))
        except UnstorableValue as error:
            row = start + error.position
            raise value_error(plan.table, row, plan.names[position], error.value, error) from None
    return columns


def _insert_batch(con: sqlite3.Connection, plan: _Plan, start: int, columns: list[list[object]]) -> int:
    """Insert rows many at a time, and once more row by row where one does not fit, to tell which."""
    counted = plan.counter.count
    try:
        with atomic(con):
            return _insert_together(con, plan, columns)
    except (sqlite3.IntegrityError, OverflowError, UnicodeEncodeError):
        plan.counter.count = counted
    with atomic(con):  # also where an ON CONFLICT ROLLBACK of the table has ended the transaction around it
        return _insert_singly(con, plan, start, columns)


def _insert_together(con: sqlite3.Connection, plan: _Plan, columns: list[list[object]]) -> int:
    many, rows = plan.together, len(columns[0])
    values = itertools.chain.from_iterable(zip(*columns, strict=True))
    changed = 0
    if rows >= many:
        whole = itertools.islice(values, rows // many * many * len(columns))
        groups = zip(*[whole] * (many * len(columns)), strict=True)
        changed = con.executemany(plan.insert_sql(many), groups).rowcount
    if rows % many:
        changed += con.execute(plan.insert_sql(rows % many), tuple(values)).rowcount
    return changed


def _insert_singly(con: sqlite3.Connection, plan: _Plan, start: int, columns: list[list[object]]) -> int:
    # sqlite3 takes rows from the iterator one by one, so after a failure it tells how far it came.
    first = iter(columns[0])
    try:
        return con.executemany(plan.insert_sql(1), zip(first, *columns[1:], strict=True)).rowcount
    except (sqlite3.IntegrityError, OverflowError, UnicodeEncodeError) as error:
        position = len(columns[0]) - operator.length_hint(first) - 1
        values = {name: column[position] for name, column in zip(plan.names, columns, strict=True)}
        raise row_error(con, plan.table, start + position, values, error) from error


@contextmanager
def _interruptible(con: sqlite3.Connection) -> Iterator[None]:
    # SQLite forgets an interrupt as soon as no statement runs, which between two rows is always: an
    # interrupt would be lost (tried). A statement left half-read keeps it until the next row fails by it.
    held = con.execute("VALUES (1), (2)")
    try:
        yield
    finally:
        held.close()


@contextmanager
def _errors(con: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _mapped(con, error) from error


def _mapped(con: sqlite3.Connection, error: sqlite3.Error) -> GreynbError:
    path = Path(con.execute("PRAGMA database_list").fetchone()[2] or ":memory:")
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_INTERRUPT:
        return QueryInterrupted("the load was stopped; none of its rows was kept", path=path)
    if isinstance(error, sqlite3.IntegrityError):  # of COMMIT: a deferred foreign key
        return LoadError(f"the rows do not fit the table: {error}", path=path)
    return file_error(error, path, con.execute("PRAGMA busy_timeout").fetchone()[0] / 1000)
