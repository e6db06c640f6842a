"""The raw analytics connection that `greynb.get_conn` gives out, with the same gate as the cells.

What it protects against: any SQL that writes, attaches, loads, or reads another file, however it reaches the
methods here (pasted, built from strings, read from a file). Only checked SQL reaches the engine, results are
data that can run nothing, and the engine's methods that take paths or unchecked SQL are not there.

What it cannot protect against: Python code of the same process, which can open any file without greynb, or
dig the engine's own connection out of a private attribute.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar

import duckdb

from greynb.databases.decimals import decimals_written_out
from greynb.databases.executing import no_open_transaction
from greynb.databases.gate import Passed, check
from greynb.databases.identifiers import quote
from greynb.databases.readonly_absent import ABSENT
from greynb.databases.readonly_origin import Origins, Place, Statement
from greynb.databases.readonly_parameters import Parameters, named, taken
from greynb.databases.readonly_result import Relation, Turn
from greynb.errors import WriteRefused

if TYPE_CHECKING:
    from types import TracebackType

    import pandas as pd
    import polars as pl
    import pyarrow as pa

T = TypeVar("T")


class AnalyticsConnection:
    """A DuckDB connection over the analytics file that can only read.

    It has the reading methods of `duckdb.DuckDBPyConnection`. All of them may be called from several threads:
    each thread but the first has a cursor of its own behind the scenes, so that it fetches its own results.
    Temporary tables, views and macros, and registered frames, belong to one cursor.

    Parameters
    ----------
    con
        A connection whose engine is locked (external access off, files attached READ_ONLY).
    prepare
        Called with each statement before it is executed, for example to make the views that it names.
    verify
        Called after each step of reading; raises where the file was written to meanwhile.
    recover
        Called with what the engine raised and the statement; says whether it should be run once more.
    close
        Called once when the connection is closed, instead of closing `con`.
    place
        What its DataFrames say of where they came from; None: nothing.
    served
        Gives what surrounds each step that may wait for a server.

    Raises
    ------
    WriteRefused
        From every method that takes SQL: a statement might write or read another file.
    QueryError
        From every method that takes SQL: DuckDB cannot parse it.
    duckdb.Error
        What the engine says while it runs a statement.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        prepare: Callable[[Passed], None] | None = None,
        *,
        verify: Callable[[], None] | None = None,
        recover: Callable[[Exception, Passed], bool] | None = None,
        close: Callable[[], None] | None = None,
        place: Place | None = None,
        served: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self.__first = con
        self.__thread = threading.get_ident()
        self.__cursors = threading.local()
        self.__others: list[duckdb.DuckDBPyConnection] = []
        self.__prepare = prepare
        self.__recover = recover
        self.__close = close or con.close
        self.__turn = Turn(verify, served)
        self.__origins = Origins(place)
        self.__closed = False
        ((database, schema),) = con.execute("SELECT current_database(), current_schema()").fetchall()
        self.__home = f"{quote(database)}.{quote(schema)}"

    @property
    def __con(self) -> duckdb.DuckDBPyConnection:
        """The engine's connection that belongs to the calling thread."""
        if threading.get_ident() == self.__thread:
            return self.__first
        if not hasattr(self.__cursors, "con"):
            self.__cursors.con = self.__another()
            self.__others.append(self.__cursors.con)
        con: duckdb.DuckDBPyConnection = self.__cursors.con
        return con

    def __another(self) -> duckdb.DuckDBPyConnection:
        inner = self.__first.cursor()
        # The current catalog belongs to a connection; a new one starts where the engine was opened.
        inner.execute(f"USE {self.__home}")
        return inner

    def execute(self, query: str, parameters: Parameters = None) -> Self:
        """Run one or more statements and keep the last result for the fetch methods.

        Parameters
        ----------
        query
            SQL; parameters as ``$name`` (with a mapping) or ``?`` (with a sequence).
        parameters
            Values. With several statements a mapping is required, and each takes the names it uses.
        """
        with self.__turn:
            for passed in named(check(query), parameters):
                self.__run(passed, parameters)
        return self

    def sql(self, query: str, *, params: Parameters = None) -> Relation | None:
        """Run SQL and return the last statement's result, or None where that has none (CREATE, DROP).

        DuckDB's own ``sql`` returns a relation, which can write files and run more SQL; a `Relation` cannot.
        """
        statements = named(check(query), params)
        with self.__turn:
            for passed in statements[:-1]:
                self.__run(passed, params)
            if not statements:
                return None
            last, con = statements[-1], self.__con
            values = self.__ready(last, params)

            def ask() -> duckdb.DuckDBPyRelation:
                return con.sql(last.sql, params=values)

            def again(error: duckdb.Error) -> duckdb.DuckDBPyRelation | None:
                return ask() if self.__recovers(error, last) else None

            statement = self.__origins.of(last, params)
            relation = self.__twice(ask, last)
            if relation is None:
                return None
            return Relation(relation, self.__turn, again, lambda df: self.__origins.described(df, statement))

    query = sql

    def register(self, view_name: str, python_object: object) -> Self:
        """Make a DataFrame or Arrow table of this process readable under a name."""
        if isinstance(python_object, str | bytes | duckdb.DuckDBPyRelation):
            raise WriteRefused("only DataFrames and Arrow tables can be registered")
        self.__origins.private()
        with self.__turn:
            self.__con.register(view_name, decimals_written_out(python_object))
        return self

    def unregister(self, view_name: str) -> Self:
        """Forget a registered DataFrame."""
        with self.__turn:
            self.__con.unregister(view_name)
        return self

    @property
    def description(self) -> list[tuple[Any, ...]] | None:
        """Names and types of the last result's columns, as the Python database interface has them."""
        return self.__con.description

    @property
    def rowcount(self) -> int:
        """As in DuckDB: -1, because the number of rows of a SELECT is not known beforehand."""
        return self.__con.rowcount

    def fetchone(self) -> tuple[Any, ...] | None:
        """Take the next row of the last result, or None."""
        with self.__taking():
            row: tuple[Any, ...] | None = self.__con.fetchone()
            return row

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        """Take the next `size` rows of the last result."""
        with self.__taking():
            return self.__con.fetchmany(size)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Take all remaining rows of the last result."""
        with self.__taking():
            return self.__con.fetchall()

    def df(self) -> pd.DataFrame:
        """Take the last result as a pandas DataFrame, with DuckDB's own dtypes."""
        with self.__taking() as statement:
            return self.__origins.described(self.__con.df(), statement)

    fetchdf = fetch_df = df

    def fetchnumpy(self) -> dict[str, Any]:
        """Take the last result as a dictionary of numpy arrays."""
        with self.__taking():
            return self.__con.fetchnumpy()

    def to_arrow_table(self) -> pa.Table:
        """Take the last result as an Arrow table."""
        with self.__taking():
            return self.__con.to_arrow_table()

    arrow = fetch_arrow_table = to_arrow_table

    def pl(self) -> pl.DataFrame:
        """Take the last result as a polars DataFrame (polars must be installed)."""
        with self.__taking():
            return self.__con.pl()

    def cursor(self) -> AnalyticsConnection:
        """Another connection to the same engine, for another thread."""
        with self.__turn:
            return AnalyticsConnection(
                self.__another(),
                self.__prepare,
                verify=self.__turn.verify,
                recover=self.__recover,
                place=self.__origins.place,
                served=self.__turn.served,
            )

    duplicate = cursor

    def interrupt(self) -> None:
        """Stop the statements that run in other threads."""
        for con in (self.__first, *self.__others):
            con.interrupt()

    def query_progress(self) -> float:
        """Percent done of the statement that runs in another thread, or -1."""
        return self.__first.query_progress()

    def close(self) -> None:
        """Close the connection; a second time does nothing."""
        if not self.__closed:
            self.__closed = True
            self.__close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __getattr__(self, name: str) -> NoReturn:
        reason = ABSENT.get(name)
        raise AttributeError(
            f"the analytics connection has no {name}: {reason}"
            if reason
            else f"the analytics connection has no attribute {name!r}"
        )

    @contextmanager
    def __taking(self) -> Iterator[Statement | None]:
        """Take rows of the last result, which gives them once."""
        with self.__turn:
            yield self.__origins.taken()

    def __run(self, passed: Passed, parameters: Parameters) -> None:
        self.__origins.begin(passed, parameters)
        values = self.__ready(passed, parameters)
        self.__twice(lambda: self.__con.execute(passed.sql, values), passed)

    def __twice(self, run: Callable[[], T], passed: Passed) -> T:
        """Run, and once more where the first failure could be helped."""
        try:
            with no_open_transaction(self.__con):
                return run()
        except duckdb.Error as error:
            if not self.__recovers(error, passed):
                raise
        with no_open_transaction(self.__con):
            return run()

    def __recovers(self, error: duckdb.Error, passed: Passed) -> bool:
        return self.__recover is not None and self.__recover(error, passed)

    def __ready(self, passed: Passed, parameters: Parameters) -> Parameters:
        if self.__prepare is not None:
            self.__prepare(passed)
        return taken(passed, parameters)
