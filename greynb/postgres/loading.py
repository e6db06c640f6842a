"""Loading a DataFrame into a PostgreSQL table: COPY into a temporary table, then one INSERT."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
import psycopg
from psycopg import errors

from greynb.databases.identifiers import fold, quote
from greynb.databases.load_faults import value_error
from greynb.databases.load_request import LoadResult, OnConflict, fitting_table, keys_of
from greynb.databases.load_table import Table
from greynb.databases.load_values import UnstorableValue, as_pandas, converter
from greynb.errors import DatabaseLocked, GreynbError, LoadError, QueryInterrupted
from greynb.postgres import faults
from greynb.postgres.committing import transaction_number
from greynb.postgres.tables import describe, missing_table, new_table

_BATCH: Final = 25_000
_WAITING: Final = "pg_temp.greynb_load"
_INTEGERS: Final = frozenset({"smallint", "integer", "bigint"})
_COPY_LINE: Final = re.compile(r"COPY greynb_load, line (\d+)(?:, column (.+?))?(?:: (.*))?$")


def load_frame(
    con: psycopg.Connection[Any],
    df: object,
    table: str,
    *,
    key: str | Sequence[str] | None = None,
    on_conflict: OnConflict = "error",
    create: bool = False,
    progress: Callable[[int, int], None] | None = None,
    outcome: Callable[[str], str] = lambda _: faults.UNKNOWN,
) -> LoadResult:
    """Load the rows of a frame into a table, in one transaction.

    Parameters are those of `greynb.databases.load.load_frame`, and `outcome`, which says what came of a
    transaction by its number, where its commit had no answer. ``con.cancel_safe()`` from another thread
    stops it, and nothing is loaded then.

    Raises
    ------
    LoadError
        The frame does not fit the table; the message names row and column where PostgreSQL does.
    QueryInterrupted
        It was interrupted.
    DatabaseLocked
        Another connection kept the table locked for longer than ``lock_timeout``.
    DatabaseError
        The connection broke; the message says what came of the load.
    """
    started = time.perf_counter()
    frame = as_pandas(df)
    if frame is None:
        raise LoadError(f"a {type(df).__name__} is not a table", hint="pass a pandas, polars or Arrow table")
    number = None
    try:
        with con.transaction():
            plan = _planned(con, frame, table, keys_of(key, on_conflict), on_conflict, create)
            if plan.create_sql:
                con.execute(plan.create_sql)
            _copy(con, frame, plan, progress)
            inserted, updated = _insert(con, plan)
            number = transaction_number(con)
    except psycopg.Error as error:
        raise _mapped(error, con, number, outcome) from error
    return LoadResult(
        table=plan.table.name,
        inserted=inserted,
        updated=updated + (len(frame) - inserted - updated if on_conflict == "update" else 0),
        ignored=len(frame) - inserted - updated if on_conflict == "ignore" else 0,
        created=plan.create_sql is not None,
        seconds=time.perf_counter() - started,
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    table: Table
    names: tuple[str, ...]
    key: tuple[str, ...]
    on_conflict: OnConflict
    create_sql: str | None


def _planned(
    con: psycopg.Connection[Any],
    frame: pd.DataFrame,
    table: str,
    keys: tuple[str, ...],
    on_conflict: OnConflict,
    create: bool,
) -> _Plan:
    found = describe(con, table)
    if found is None and not create:
        raise missing_table(con, table)
    described, create_sql = fitting_table(
        frame, keys, on_conflict, found, lambda: new_table(frame, table, keys)
    )
    columns = described.columns
    return _Plan(
        described,
        tuple(columns[fold(name)].name for name in frame.columns),
        tuple(columns[fold(name)].name for name in keys),
        on_conflict,
        create_sql,
    )


def _copy(
    con: psycopg.Connection[Any],
    frame: pd.DataFrame,
    plan: _Plan,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Bring the rows to the server, where their texts become values of the table's types."""
    columns = ", ".join(map(quote, plan.names))
    con.execute(
        "CREATE TEMP TABLE greynb_load ON COMMIT DROP AS"
        f" SELECT {columns} FROM {plan.table.name} WITH NO DATA"
    )
    with con.cursor() as cursor, cursor.copy(f"COPY {_WAITING} ({columns}) FROM STDIN") as copy:
        for start in range(0, len(frame), _BATCH):
            batch = frame.iloc[start : start + _BATCH]
            for row in zip(*_values(batch, start, plan), strict=True):
                copy.write_row(row)
            if progress:
                progress(start + len(batch), len(frame))


def _values(batch: pd.DataFrame, start: int, plan: _Plan) -> list[list[object]]:
    columns = []
    for position, name in enumerate(plan.names):
        declared = plan.table.columns[fold(name)].declared
        try:
            convert = converter(batch.dtypes.iloc[position], dates=declared == "date")
            columns.append([_fitting(value, declared) for value in convert(batch.iloc[:, position])])
        except UnstorableValue as error:
            row = start + error.position
            raise value_error(plan.table, row, name, error.value, error) from None
    return columns


def _fitting(value: object, declared: str) -> object:
    """A missing float is NULL; a whole one an integer where the table wants one: pandas may have no other."""
    if not isinstance(value, float):
        return value
    if value != value:
        return None
    return int(value) if declared in _INTEGERS and value.is_integer() else value


def _insert(con: psycopg.Connection[Any], plan: _Plan) -> tuple[int, int]:
    """Write the rows into the table; the numbers inserted and updated."""
    columns = ", ".join(map(quote, plan.names))
    key = ", ".join(map(quote, plan.key))
    rows, conflict = f"SELECT {columns} FROM {_WAITING} ORDER BY ctid", ""
    written = [f"{quote(name)} = excluded.{quote(name)}" for name in plan.names if name not in plan.key]
    if plan.on_conflict == "update" and written:
        # One command may touch a row once: of equal keys the last counts, as if written one by one.
        rows = f"SELECT DISTINCT ON ({key}) {columns} FROM {_WAITING} ORDER BY {key}, ctid DESC"
        conflict = f"ON CONFLICT ({key}) DO UPDATE SET {', '.join(written)}"
    elif plan.on_conflict != "error":
        conflict = f"ON CONFLICT {f'({key})' if key else ''} DO NOTHING"
    insert = f"INSERT INTO {plan.table.name} ({columns}) {rows} {conflict}"
    if "UPDATE" not in conflict:
        return con.execute(insert).rowcount, 0
    return _upsert(con, plan, insert, key)


def _upsert(con: psycopg.Connection[Any], plan: _Plan, insert: str, key: str) -> tuple[int, int]:
    """Insert or update, and count which was which."""
    partitioned = "SELECT relkind = 'p' FROM pg_class WHERE oid = %s::regclass"
    if con.execute(partitioned, (plan.table.name,)).fetchall() == [(True,)]:
        # There a returned row has no system columns.
        same = (
            f"SELECT count(*) FROM (SELECT DISTINCT {key} FROM {_WAITING}) AS k"
            f" JOIN {plan.table.name} USING ({key})"
        )
        ((updated,),) = con.execute(same).fetchall()
        return con.execute(insert).rowcount - updated, updated
    # xmax is 0 in a row that is new: https://www.postgresql.org/docs/current/ddl-system-columns.html
    ((inserted, updated),) = con.execute(
        f"WITH written AS ({insert} RETURNING xmax::text = '0' AS is_new)"
        " SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written"
    ).fetchall()
    return inserted, updated


def _mapped(
    error: psycopg.Error,
    con: psycopg.Connection[Any],
    number: str | None,
    outcome: Callable[[str], str],
) -> GreynbError:
    """Say what an error means; `number` is the transaction's, once all but its commit was done."""
    if faults.is_gone(error, con):
        return faults.lost(faults.NOTHING if number is None else outcome(number), "load")
    said = error.diag.message_primary or str(error).strip().splitlines()[0]
    if isinstance(error, errors.QueryCanceled):
        return QueryInterrupted("the load was stopped; none of its rows was kept")
    if isinstance(error, errors.LockNotAvailable | errors.DeadlockDetected):
        return DatabaseLocked(f"{said}; none of the rows was kept", hint="another connection holds the table")
    if hint := faults.refused(error):
        return LoadError(f"PostgreSQL refused the load: {said}", hint=hint)
    where = _COPY_LINE.search((error.diag.context or "").partition("\n")[0])
    if where is None:
        return LoadError(
            f"the rows do not fit the table: {said}",
            detail=error.diag.message_detail,
            hint=error.diag.message_hint,
        )
    row = int(where[1]) - 1
    column = f", column {where[2]}" if where[2] else ""
    return LoadError(f"row {row} of the frame (df.iloc[{row}]){column}: {said}", hint=error.diag.message_hint)
