"""What `AnalyticsConnection.sql` returns: a result that can be read and do nothing else."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow as pa


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
    """

    def __init__(self, relation: duckdb.DuckDBPyRelation, turn: AbstractContextManager[None]) -> None:
        self.__relation = relation
        self.__turn = turn

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
        with self.__turn:
            return self.__relation.fetchall()

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row, or None."""
        with self.__turn:
            row: tuple[Any, ...] | None = self.__relation.fetchone()
            return row

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        """The next `size` rows."""
        with self.__turn:
            return self.__relation.fetchmany(size)

    def df(self) -> pd.DataFrame:
        """All rows as a pandas DataFrame, with DuckDB's own dtypes."""
        with self.__turn:
            return self.__relation.df()

    fetchdf = to_df = df

    def to_arrow_table(self) -> pa.Table:
        """All rows as an Arrow table."""
        with self.__turn:
            return self.__relation.to_arrow_table()

    arrow = fetch_arrow_table = to_arrow_table

    def pl(self) -> pl.DataFrame:
        """All rows as a polars DataFrame (polars must be installed)."""
        with self.__turn:
            return self.__relation.pl()

    def show(self) -> None:
        """Print the first rows."""
        with self.__turn:
            self.__relation.show()

    def __repr__(self) -> str:
        with self.__turn:
            return repr(self.__relation)

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"a result of the analytics connection has no {name!r}; read it by fetchall, df, arrow or pl"
        )
