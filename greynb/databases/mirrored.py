"""A columnar mirror as readers see it: a DuckDB file with the rows and types of one version of a SQLite file.

Tables stand in its schema ``main`` under their SQLite names, perhaps with the rowid as a first column. What
each was made from, and what only SQLite can read, is written in ``greynb.contents``, as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import duckdb

from greynb.databases.columns import unique_names
from greynb.databases.identifiers import literal, quote
from greynb.databases.relations import TableCensus

SCHEMA: Final = "greynb"
FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class MirrorTable:
    """One table, view or virtual table.

    Attributes
    ----------
    census
        What it holds; of one that is not stored, only its columns.
    key
        The name of the column of rowids; None where there is none.
    notices
        What is to be said of how it compares text.
    unstored
        Why its rows are not in the mirror but must be read through SQLite; empty where they are.
    """

    census: TableCensus
    key: str | None = None
    notices: tuple[str, ...] = ()
    unstored: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {**asdict(self), "census": self.census.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> MirrorTable:
        """Read back what `to_json` gave."""
        census = TableCensus.from_json(data["census"])
        return cls(census, data["key"], tuple(data["notices"]), data["unstored"])


@dataclass(frozen=True, slots=True)
class Contents:
    """What a mirror holds.

    Attributes
    ----------
    tables
        By the SQLite name of each relation.
    first_bytes
        The size of the mirror that it was carried on from, when that was built; 0 for one that was built.
    """

    tables: Mapping[str, MirrorTable]
    first_bytes: int = 0

    def census(self) -> dict[str, TableCensus]:
        """What each relation holds."""
        return {name: each.census for name, each in self.tables.items()}

    @property
    def shown(self) -> dict[str, str]:
        """The name of each relation in DuckDB."""
        return dict(zip(self.tables, unique_names(self.tables, "table"), strict=True))

    def write(self, con: duckdb.DuckDBPyConnection, alias: str) -> None:
        """Put this into an attached mirror, in place of what it says."""
        tables = {name: each.to_json() for name, each in self.tables.items()}
        found = {"tables": tables, "first_bytes": self.first_bytes}
        text = json.dumps({"format": FORMAT, **found})
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(alias)}.{SCHEMA}")
        con.execute(f"CREATE OR REPLACE TABLE {_place(alias)} (text VARCHAR)")
        # Not as a bound value: for its first one DuckDB imports pandas, 0.25 s and 40 MB.
        con.execute(f"INSERT INTO {_place(alias)} VALUES ({literal(text)})")

    @classmethod
    def read(cls, con: duckdb.DuckDBPyConnection, alias: str) -> Contents:
        """What an attached mirror says; raises ValueError or `duckdb.Error` where that is no mirror."""
        ((text,),) = con.execute(f"SELECT text FROM {_place(alias)}").fetchall()
        try:
            found = json.loads(text)
            if found["format"] != FORMAT:
                raise ValueError("a mirror of another format")
            tables = {name: MirrorTable.from_json(each) for name, each in found["tables"].items()}
            return cls(tables, found["first_bytes"])
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a mirror: {error}") from error


def mirror_view(alias: str, name: str, table: TableCensus) -> str:
    """Select the columns of a mirrored table, without its key.

    Parameters
    ----------
    alias
        The name under which the mirror is attached.
    name
        What the table is called in DuckDB.
    table
        Its census.
    """
    columns = unique_names(column.name for column in table.columns)
    return f"SELECT {', '.join(map(quote, columns))} FROM {quote(alias)}.main.{quote(name)}"


def _place(alias: str) -> str:
    return f"{quote(alias)}.{SCHEMA}.contents"
