"""The names and types of tables and columns, for those who write SQL: read at once, or not at all."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from greynb.databases.columns import choose, unique_names
from greynb.databases.copying import connect
from greynb.databases.declared import promised
from greynb.databases.descriptors import identity_of

if TYPE_CHECKING:
    import duckdb

    from greynb.databases.relations import TableCensus


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name in the engine, and its type as the engine names it (as far as that is known)."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table, view or virtual table (`kind`), perhaps a temporary one."""

    name: str
    kind: str
    columns: tuple[Column, ...]


@contextmanager
def idle(lock: threading.RLock) -> Iterator[bool]:
    """Hold a lock if nobody else does, and say whether that is so; never wait for it."""
    held = lock.acquire(blocking=False)
    try:
        yield held
    finally:
        if held:
            lock.release()


def outline_of(shown: str, census: TableCensus) -> Table:
    """The outline of a relation; its types are those promised where its values were not counted yet."""
    names = unique_names(column.name for column in census.columns)
    types = (choose(each) if census.rows is not None else promised(each.declared) for each in census.columns)
    return Table(shown, census.kind, tuple(map(Column, names, types)))


def temporaries(con: duckdb.DuckDBPyConnection) -> list[Table]:
    """The temporary tables and views of a DuckDB connection."""
    some = " UNION ALL ".join(
        f"SELECT 1 FROM {each}() WHERE database_name = 'temp' AND NOT internal"
        for each in ("duckdb_tables", "duckdb_views")
    )
    if con.execute(some).fetchone() is None:
        return []  # the columns of all views would be looked up for nothing
    rows = con.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns()"
        " WHERE database_name = 'temp' AND NOT internal ORDER BY table_name, column_index"
    ).fetchall()
    return list(_grouped((table, "temporary", column, kind) for table, column, kind in rows))


class SqliteOutline:
    """The tables and views of a SQLite file, read again when its schema has changed.

    Parameters
    ----------
    path
        The file; none is made where there is none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version: tuple[object, ...] = ()
        self._tables: list[Table] = []

    def read(self, con: sqlite3.Connection | None) -> list[Table]:
        """Give the tables, and the temporary ones of a connection.

        Parameters
        ----------
        con
            An open connection; None opens one for this.

        Raises
        ------
        sqlite3.Error, UnreadableDatabase
            It cannot be read just now.
        """
        if con is None and not self._path.exists():
            return []
        with closing(connect(self._path, "rw")) if con is None else nullcontext(con) as opened:
            numbers = (
                opened.execute(f"PRAGMA {each}.schema_version").fetchone() for each in ("main", "temp")
            )
            version = (*numbers, identity_of(self._path))
            if version != self._version:
                self._tables = list(_grouped(opened.execute(_OUTLINE).fetchall()))
                self._version = version
        return self._tables


_OUTLINE: Final = """
    SELECT t.name, iif(t.schema = 'temp', 'temporary', t.type), c.name, c.type
    FROM pragma_table_list AS t, pragma_table_xinfo(t.name, t.schema) AS c
    WHERE t.type IN ('table', 'view', 'virtual') AND c.hidden <> 1
        AND t.name NOT LIKE 'sqlite|_%' ESCAPE '|'
    ORDER BY t.schema = 'temp', t.name, c.cid
"""


def _grouped(rows: Iterable[tuple[str, str, str, str]]) -> Iterator[Table]:
    found: dict[tuple[str, str], list[Column]] = {}
    for table, kind, column, declared in rows:
        found.setdefault((table, kind), []).append(Column(column, declared))
    return (Table(table, kind, tuple(columns)) for (table, kind), columns in found.items())
