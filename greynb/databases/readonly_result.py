"""What `AnalyticsConnection.sql` returns: a result that can be read and do nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import duckdb

if TYPE_CHECKING:
    from types import TracebackType

    import pandas as pd
    import polars as pl
    import pyarrow as pa

T = TypeVar("T")


class Turn:
    """One thread's turn with the engine, at whose end what was read is known to be of one version.

    Parameters
    ----------
    verify
        Raises where that is not so.
    served
        Gives what surrounds a turn that may wait for a server.
    """

    def __init__(
        self,
        verify: Callable[[], None] | None,
        served: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self.verify = verify
        self.served = served
        self._lock = threading.RLock()
        self._waits: list[AbstractContextManager[object]] = []

    def __enter__(self) -> None:
        self._lock.acquire()
        try:
            wait = self.served()
            wait.__enter__()
        except BaseException:  # there may be no thread to be had: the turn has not begun
            self._lock.release()
            raise
        self._waits.append(wait)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._waits.pop().__exit__(kind, error, trace)
            if error is None and self.verify is not None:
                self.verify()
        finally:
            self._lock.release()


class Relation:
    """A result as DuckDB's ``sql`` gives it, with the methods that read it and none of those that write.

    Like a DuckDB relation it may be read as often as wished; it is computed when it is read, once more for
    each time.

    Parameters
    ----------
    relation
        The engine's relation of a checked statement.
    turn
        Held while the engine is at work.
    again
        Called with the error of a failing read; gives a relation to read instead, or None.
    described
        Lets a frame say where it came from.
    """

    def __init__(
        self,
        relation: duckdb.DuckDBPyRelation,
        turn: Turn,
        again: Callable[[duckdb.Error], duckdb.DuckDBPyRelation | None],
        described: Callable[[pd.DataFrame], pd.DataFrame],
    ) -> None:
        self.__relation = relation
        self.__turn = turn
        self.__again = again
        self.__described = described

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self.__relation.columns)

    @property
    def types(self) -> list[str]:
        """The DuckDB types of the columns."""
        return [str(each) for each in self.__relation.types]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows."""
        return self.__read(lambda relation: relation.fetchall())

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row, or None."""
        row: tuple[Any, ...] | None = self.__read(lambda relation: relation.fetchone())
        return row

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        """The next `size` rows."""
        return self.__read(lambda relation: relation.fetchmany(size))

    def df(self) -> pd.DataFrame:
        """All rows as a pandas DataFrame, with DuckDB's own dtypes."""
        return self.__described(self.__read(lambda relation: relation.df()))

    fetchdf = to_df = df

    def to_arrow_table(self) -> pa.Table:
        """All rows as an Arrow table."""
        return self.__read(lambda relation: relation.to_arrow_table())

    arrow = fetch_arrow_table = to_arrow_table

    def pl(self) -> pl.DataFrame:
        """All rows as a polars DataFrame (polars must be installed)."""
        return self.__read(lambda relation: relation.pl())

    def show(self) -> None:
        """Print the first rows."""
        self.__read(lambda relation: relation.show())

    def __repr__(self) -> str:
        return self.__read(repr)

    def __read(self, take: Callable[[duckdb.DuckDBPyRelation], T]) -> T:
        with self.__turn:
            try:
                return take(self.__relation)
            except duckdb.Error as error:
                other = self.__again(error)
                if other is None:
                    raise
                self.__relation = other
                return take(other)

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"a result of the analytics connection has no {name!r}; read it by fetchall, df, arrow or pl"
        )
