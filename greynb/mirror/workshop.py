"""The DuckDB instance in which a mirror is built: both files attached, memory and threads bounded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import duckdb

from greynb.databases.engine import plain_instance, sqlite_instance
from greynb.databases.identifiers import literal, quote
from greynb.mirror.sources import Attached, Source, Streamed

TARGET: Final = "mirror"
ROWS_IN_GROUP: Final = 61_440
"""Half of DuckDB's own: one thread reads a group, and with smaller ones none is left waiting at the end."""
_LOOK: Final = 0.05
T = TypeVar("T")
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a build may use.

    Attributes
    ----------
    threads
        Tables that are read side by side.
    memory_mb
        What DuckDB may use; with what it does not count, the process stays below 400 MB.
    """

    threads: int = 2
    memory_mb: int = 200


BOUNDS: Final = Bounds()


@dataclass(slots=True)
class Workshop:
    """The instance, and the cursors that work in it."""

    con: duckdb.DuckDBPyConnection
    source: Source
    database: Path
    threads: int
    stopped: threading.Event
    _busy: list[duckdb.DuckDBPyConnection] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, sql: str) -> Sequence[Sequence[object]]:
        """Run one statement inside SQLite and return its rows."""
        with self.cursor() as cursor:
            return self.source.run(cursor, sql)

    def limited(self, seconds: float) -> Streamed:
        """The file as a source whose statements end with the time, or when the work is stopped.

        A statement inside DuckDB's SQLite listens to neither.
        """
        return Streamed(self.database, self.stopped, seconds)

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for one thread, which `interrupt` reaches."""
        with closing(self.con.cursor()) as cursor:
            with self._lock:
                self._busy.append(cursor)
            try:
                yield cursor
            finally:
                with self._lock:
                    self._busy.remove(cursor)

    def interrupt(self) -> None:
        """Stop whatever runs."""
        self.stopped.set()
        with self._lock:
            for cursor in self._busy:
                cursor.interrupt()

    def each(
        self,
        work: Callable[[duckdb.DuckDBPyConnection, Item], T],
        items: Sequence[Item],
        told: Callable[[float], None],
    ) -> list[T]:
        """Do the same with several items side by side; what `told` raises stops all of it.

        Parameters
        ----------
        work
            Given a cursor and an item; one connection scans SQLite on one thread, so several use the cores.
        items
            Those that take longest first.
        told
            Told the part that is done, several times a second.
        """

        def one(item: Item) -> T:
            with self.cursor() as cursor:
                return work(cursor, item)

        with ThreadPoolExecutor(self.threads) as pool:
            futures = [pool.submit(one, item) for item in items]
            try:
                self._await(futures, told)
            except BaseException:
                for future in futures:
                    future.cancel()
                while wait(futures, timeout=_LOOK, return_when=ALL_COMPLETED).not_done:
                    self.interrupt()  # again: one that comes before a statement has begun is lost
                raise
        return [future.result() for future in futures]

    def _await(self, futures: list[Future[T]], told: Callable[[float], None]) -> None:
        pending = set(futures)
        while pending:
            done, pending = wait(pending, timeout=_LOOK, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
            told(1 - len(pending) / len(futures))


@contextmanager
def workshop(
    database: Path, target: Path, bounds: Bounds = BOUNDS, *, attached: bool = True
) -> Iterator[Workshop]:
    """Open a SQLite file, read-only, and attach a DuckDB file as ``mirror``.

    Parameters
    ----------
    database
        A file that nobody writes and that this process has not open elsewhere.
    target
        The mirror, made if it is not there; whole on the disk after the block, but not yet flushed.
    bounds
        What does not fit into the memory goes to a folder beside the mirror.
    attached
        Whether to read the file through DuckDB's extension; else through sqlite3.
    """
    spilled = target.with_name(f"{target.name}.tmp")
    # DuckDB's own threads would only take turns with those that read: 3.0 s instead of 4.1 s without them.
    settings: dict[str, str | int] = {"threads": 1, "memory_limit": f"{bounds.memory_mb}MB"}
    opened = sqlite_instance if attached else plain_instance
    with closing(opened(**settings, temp_directory=str(spilled))) as con:
        # Without them a mirror is a fifth larger, built a sixth sooner, and read sooner too.
        con.execute("SET disabled_compression_methods = 'fsst,dict_fsst,zstd'")
        con.execute("SET checkpoint_threshold = '1TB'")  # once, at the end
        stopped = threading.Event()
        source: Source = Attached(con, database) if attached else Streamed(database, stopped)
        con.execute(f"ATTACH {literal(str(target))} AS {TARGET} (ROW_GROUP_SIZE {ROWS_IN_GROUP})")
        yield Workshop(con, source, database, bounds.threads, stopped)
        con.execute(f"CHECKPOINT {TARGET}")
        con.execute(f"DETACH {TARGET}")
    with suppress(OSError):
        spilled.rmdir()


def place(name: str) -> str:
    """The quoted name of a table of the mirror."""
    return f"{TARGET}.main.{quote(name)}"
