"""``greynb optimize``: statistics, free space and the log of staging, in place and with nobody in the way."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from greynb.databases.copying import check_space, connect, mapped, size_with_log
from greynb.databases.generations import generation_at
from greynb.databases.identifiers import quote
from greynb.databases.lockers import Locker, lockers, open_for_writing
from greynb.databases.locks import wait_for_lock
from greynb.doctor.contents import free_bytes
from greynb.doctor.working import Work
from greynb.errors import DatabaseLocked, MissingDatabase, WriteRefused
from greynb.publish.outside import look

if TYPE_CHECKING:
    from greynb.publish.steps import Progress

RECENT: Final = 60.0
"""Seconds since the last write after which a program that has the file open is not taken to be writing."""
_WAIT: Final = 2.0
_TEMPORARY: Final = Path("/var/tmp")
"""Where SQLite writes, before ``/tmp``, unless told otherwise (https://www.sqlite.org/tempfiles.html)."""
_VACUUM: Final = "VACUUM"
_CHECKPOINT: Final = "PRAGMA wal_checkpoint(TRUNCATE)"
_OPTIMIZE: Final = "PRAGMA optimize"


@dataclass(frozen=True, slots=True)
class Step:
    """One part of the work.

    Attributes
    ----------
    name
        The statement.
    outcome
        ``"done"``, ``"skipped"``, or ``"planned"`` in a dry run.
    said
        Why it was skipped, or what it is good for.
    before, after
        Bytes of the file and its log.
    seconds
        How long it took.
    """

    name: str
    outcome: Literal["done", "skipped", "planned"]
    said: str
    before: int
    after: int
    seconds: float

    def __str__(self) -> str:
        if self.outcome != "done":
            return f"{self.name:<32} {self.outcome}{f': {self.said}' if self.said else ''}"
        sizes = f"{self.before / 1e6:,.1f} MB → {self.after / 1e6:,.1f} MB"
        return f"{self.name:<32} {sizes}, {self.seconds:.2f} s{f' · {self.said}' if self.said else ''}"


@dataclass(frozen=True, slots=True)
class Optimization:
    """What was done to a file; prints as a few lines of text.

    Attributes
    ----------
    path
        The file.
    before, after
        Bytes of the file and its log.
    steps
        In order.
    dry_run
        Whether nothing was done.
    """

    path: str
    before: int
    after: int
    steps: tuple[Step, ...]
    dry_run: bool

    def as_dict(self) -> dict[str, object]:
        """The same as plain values."""
        return asdict(self)

    def __str__(self) -> str:
        sizes = f"{self.before / 1e6:,.1f} MB"
        if not self.dry_run:
            sizes += f" before, {self.after / 1e6:,.1f} MB after"
        return "\n".join([*map(str, self.steps), f"{self.path}: {sizes}"])


def optimize(
    path: Path,
    *,
    dry_run: bool = False,
    told: Progress = lambda _step, _part: None,
    work: Work | None = None,
) -> Optimization:
    """Bring a staging file into its best shape: no row is changed, and readers may go on.

    VACUUM is run where it pays (see `greynb.doctor.contents.free_bytes`). Another thread may stop the work:
    the step that runs is undone by SQLite, those before it stay.

    Parameters
    ----------
    path
        The file that takes the writes.
    dry_run
        Only say what would be done.
    told
        Told the step and the part done; may raise to stop.
    work
        For the thread that may stop it.

    Raises
    ------
    MissingDatabase, UnreadableDatabase
        The file is not there, or cannot be written.
    WriteRefused
        The path leads to a published version.
    DatabaseLocked
        Somebody writes to it; says who.
    DatabaseError
        There is too little space for the copy that VACUUM makes.
    QueryInterrupted
        It was stopped.
    """
    work = work or Work()
    _check_ours(path)
    _check_writers(path)
    with work.using(connect(path, "rw")) as con:
        job = _Job(con, path, work, dry_run)
        before = size_with_log(path.resolve())
        steps = []
        plan = list(job.plan())
        for number, planned in enumerate(plan):
            told(planned.name, number / len(plan))
            steps.append(job.step(planned))
        told("optimized", 1.0)
        # Before the connection is closed: the last one to close takes the log away.
        return Optimization(str(path), before, size_with_log(path.resolve()), tuple(steps), dry_run)


def _check_ours(path: Path) -> None:
    if not path.exists():
        raise MissingDatabase("the database does not exist", path=path)
    if generation_at(path) is not None:
        raise WriteRefused(
            "that is a published version, which nothing may change in place",
            path=path,
            hint="optimize staging; each publication makes its own statistics and leaves free space out",
        )


def writers(path: Path) -> list[Locker]:
    """Other processes that write to a file now, or that could have been those who wrote to it just now."""
    own = os.getpid()
    now = [each for each in lockers(path) if each.doing in ("writing", "checkpointing") and each.pid != own]
    seen = look(path)
    if now or seen is None or time.time() - seen.written > RECENT:
        return now
    return list(open_for_writing(path.resolve()))


def _check_writers(path: Path) -> None:
    found = writers(path)
    if found:
        raise DatabaseLocked(
            "a program is writing to the database: " + ", ".join(map(str, found)),
            path=path,
            hint=f"run it when that program has ended, or has written nothing for {RECENT:.0f} s",
        )


@dataclass(frozen=True, slots=True)
class _Planned:
    """A step to be: its statements (none where it is skipped), and why."""

    name: str
    statements: tuple[str, ...]
    said: str


class _Job:
    """The steps on one open file."""

    def __init__(self, con: sqlite3.Connection, path: Path, work: Work, dry_run: bool) -> None:
        self._con, self._path, self._work, self._dry_run = con, path, work, dry_run
        with mapped(path, _WAIT):
            self._is_wal = self._ask("PRAGMA journal_mode") == "wal"

    def plan(self) -> Iterator[_Planned]:
        """The steps in order."""
        with mapped(self._path, _WAIT):
            pages, free, size = (
                int(str(self._ask(f"PRAGMA {name}")))
                for name in ("page_count", "freelist_count", "page_size")
            )
            tables = self._con.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0"
                " AND name NOT LIKE 'sqlite|_%' ESCAPE '|' ORDER BY name"
            ).fetchall()
        gain = free_bytes(pages, free, size)
        kept = f"{free * size / 1e6:,.1f} of {pages * size / 1e6:,.1f} MB are free: it would not pay"
        yield self._emptied("readers go through it")
        if gain:
            # In WAL the new file goes through the log: only then has the old one shrunk.
            through = (_VACUUM, _CHECKPOINT) if self._is_wal else (_VACUUM,)
            yield _Planned(_VACUUM, through, f"saves {gain / 1e6:,.1f} MB")
        else:
            yield _Planned(_VACUUM, (), kept)
        # Table by table: a writer that comes meanwhile waits for one of them at most.
        each = tuple(f"ANALYZE main.{quote(name)}" for (name,) in tables)
        yield _Planned("ANALYZE", each, f"{len(tables)} tables" if tables else "there are no tables")
        yield _Planned(_OPTIMIZE, (_OPTIMIZE,), "")
        yield self._emptied("what the steps above wrote")

    def _emptied(self, said: str) -> _Planned:
        if self._is_wal:
            return _Planned(_CHECKPOINT, (_CHECKPOINT,), said)
        return _Planned(_CHECKPOINT, (), "the database is not in WAL; `greynb doctor --fix` switches it")

    def step(self, planned: _Planned) -> Step:
        """Do one step, unless this is a dry run."""
        before, begun = size_with_log(self._path.resolve()), time.monotonic()
        said = planned.said
        if not planned.statements or self._dry_run:
            return Step(
                planned.name, "planned" if planned.statements else "skipped", said, before, before, 0.0
            )
        if planned.name == _VACUUM:
            _check_writers(self._path)
            self._check_room()
        answers = [self._run(statement) for statement in planned.statements]
        if planned.name == _CHECKPOINT and answers[0] and answers[0][0]:
            readers = ", ".join(map(str, lockers(self._path)))
            said = f"not emptied: somebody reads from it{f' ({readers})' if readers else ''}"
        after = size_with_log(self._path.resolve())
        return Step(planned.name, "done", said, before, after, time.monotonic() - begun)

    def _run(self, sql: str) -> tuple[object, ...] | None:
        """Run one statement and give its first row; wait a little for a writer to end."""
        self._work.check()

        def attempt() -> tuple[object, ...] | None:
            found: tuple[object, ...] | None = self._con.execute(sql).fetchone()
            return found

        with mapped(self._path, _WAIT):
            try:
                return wait_for_lock(attempt, path=self._path, timeout=_WAIT, stop=self._work.stop)
            except sqlite3.OperationalError:
                self._work.check()
                raise

    def _check_room(self) -> None:
        """VACUUM writes the new file into the temporary folder, then into the log or the journal."""
        needed = size_with_log(self._path.resolve())
        beside = self._path.resolve().parent
        folders = [each for each in (_TEMPORARY, Path(tempfile.gettempdir())) if each.is_dir()]
        for each in folders:
            check_space(each, needed)
        same = any(each.stat().st_dev == beside.stat().st_dev for each in folders)
        check_space(beside, needed * (2 if same else 1))

    def _ask(self, sql: str) -> object:
        return self._con.execute(sql).fetchone()[0]
