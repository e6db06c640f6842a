"""The two ways to read the SQLite file that is mirrored: through DuckDB's extension, or through sqlite3."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import duckdb

from greynb.databases.identifiers import literal, quote
from greynb.databases.relations import run_inside
from greynb.databases.sqlite import database_uri

if TYPE_CHECKING:
    import pyarrow as pa

ALIAS: Final = "source"
_ROWS: Final = "greynb_rows"
_AT_ONCE: Final = 20_000


class Source(Protocol):
    """A SQLite file, for the cursors of a workshop."""

    @property
    def scans(self) -> bool:
        """Whether DuckDB can scan the file's tables, as ``source.main.…``."""

    def run(self, con: duckdb.DuckDBPyConnection, sql: str) -> Sequence[Sequence[object]]:
        """Run one statement inside SQLite and return its rows."""

    def rows(self, con: duckdb.DuckDBPyConnection, statement: str) -> str:
        """What to select from, once, to have the rows of a statement whose columns are all text."""


class Attached:
    """The file as DuckDB's SQLite extension reads it.

    Parameters
    ----------
    con
        An instance that knows SQLite; the file is attached there.
    database
        The file.
    """

    scans = True

    def __init__(self, con: duckdb.DuckDBPyConnection, database: Path) -> None:
        con.execute(f"ATTACH {literal(str(database))} AS {quote(ALIAS)} (TYPE sqlite, READ_ONLY)")

    def run(self, con: duckdb.DuckDBPyConnection, sql: str) -> Sequence[Sequence[object]]:
        """Run one statement inside SQLite and return its rows."""
        return run_inside(con, ALIAS, sql)

    def rows(self, _con: duckdb.DuckDBPyConnection, statement: str) -> str:
        """What to select from to have the rows of a statement."""
        return f"sqlite_query({literal(ALIAS)}, {literal(statement)})"


class Streamed:
    """The file as Python's sqlite3 reads it, handed over through Arrow: slower, but always there.

    Python's SQLite is often newer than the one inside DuckDB, too: it knows schemas that the other does not.

    Parameters
    ----------
    database
        The file; nobody writes to it, so it is opened without locks.
    stopped
        Ends every statement when it is set.
    seconds
        After which every statement ends.
    """

    scans = False

    def __init__(self, database: Path, stopped: threading.Event, seconds: float = inf) -> None:
        self._uri = database_uri(database.absolute(), "ro&immutable=1")
        self._stopped = stopped
        self._end = time.monotonic() + seconds

    @property
    def is_late(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self._end

    def run(self, _con: duckdb.DuckDBPyConnection, sql: str) -> Sequence[Sequence[object]]:
        """Run one statement inside SQLite and return its rows."""
        with self.opened() as con:
            return con.execute(sql).fetchall()

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own; texts that are not valid UTF-8 have marks in them."""
        with closing(self._connect()) as con:
            con.text_factory = lambda text: text.decode("utf-8", "replace")
            yield con

    def rows(self, con: duckdb.DuckDBPyConnection, statement: str) -> str:
        """What to select from, once, to have the rows of a statement whose columns are all text."""
        import pyarrow as pa

        source = self._connect()
        source.text_factory = bytes
        cursor = source.execute(statement)
        names = [column[0] for column in cursor.description]
        schema = pa.schema([(name, pa.string()) for name in names])
        con.register(_ROWS, pa.RecordBatchReader.from_batches(schema, self._batches(source, cursor, schema)))
        return _ROWS

    def _connect(self) -> sqlite3.Connection:
        con = sqlite3.connect(self._uri, uri=True, isolation_level=None, check_same_thread=False)
        con.set_progress_handler(lambda: self._stopped.is_set() or self.is_late, 20_000)
        return con

    def _batches(
        self, source: sqlite3.Connection, cursor: sqlite3.Cursor, schema: pa.Schema
    ) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        with closing(source):
            while chunk := list(islice(cursor, _AT_ONCE)):
                columns = [
                    pa.array(map(_as_text, column), pa.string()) for column in zip(*chunk, strict=True)
                ]
                yield pa.record_batch(columns, schema=schema)


def _as_text(value: object) -> str | None:
    if value is None:
        return None
    return value.decode() if isinstance(value, bytes) else str(value)
