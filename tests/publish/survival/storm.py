"""Publishers killed at random instants, with a writer and readers at work all the time."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from greynb.databases.generations import generations, home_of
from greynb.publish import sync
from tests.publish import processes
from tests.publish.processes import balance, make_books
from tests.publish.survival import programs
from tests.publish.survival.comparing import content, differences, listed, mirrored

READERS = ("path", "sqlite", "duckdb", "mirror")
_MOST_VERSIONS = 12
"""Room that the hidden folder may take, in sizes of staging: 3 kept, 1 in work, what readers hold."""


@dataclass(frozen=True)
class Survived:
    """What happened in a storm without anything being torn or lost."""

    kills: int
    unfinished: int
    published: int
    reads: dict[str, int]
    largest: float
    seconds: float

    def __str__(self) -> str:
        reads = ", ".join(f"{number:,} by {how}" for how, number in self.reads.items())
        return (
            f"{self.kills} kills ({self.unfinished} in the middle of a build), {self.published} versions,"
            f" reads: {reads}; none torn; hidden folder at most {self.largest:.1f} times staging;"
            f" {self.seconds:.0f} s"
        )


def storm(
    folder: Path,
    *,
    kills: int,
    mode: Literal["full", "incremental"],
    layout: Literal["generations", "plain"],
    wal: bool = True,
    seed: int = 0,
) -> Survived:
    """Kill `kills` publishers; AssertionError where anything is torn, mismatched, lost or left behind."""
    begun = time.monotonic()
    stage = make_books(folder / "stage.db", wal=wal, rows=1500)
    target = folder / "analytics.db"
    sync(stage, target, mode=mode, layout=layout)
    took = _usual_time(stage, target, mode, layout)
    with _at_work(folder, stage, target) as readers, _publishers(stage, target, mode, layout) as publishers:
        instants = random.Random(seed)
        largest, unfinished = 0.0, 0
        for number in range(kills):
            _let_die(next(publishers), instants.uniform(0, 3 * took), later=number % 3 == 2)
            unfinished += any(home_of(target).glob(".build-*"))
            largest = max(largest, _bytes_in(home_of(target)) / max(_bytes_of(stage), 1))
            assert largest < _MOST_VERSIONS, "what dead publishers left grows without bound"
            assert balance(target) == 0
        assert all(each.poll() is None for each in readers), _errors(folder)
    reads = _check_reads(folder, several=kills > 20)
    published = _check_the_end(stage, target, mode, layout)
    return Survived(kills, unfinished, published, reads, largest, time.monotonic() - begun)


def _let_die(publisher: subprocess.Popen[str], seconds: float, *, later: bool) -> None:
    """Kill a publisher so many seconds after the word, or after the end of its first publication."""
    programs.go(publisher)
    if later and publisher.stdout is not None:
        publisher.stdout.readline()
    time.sleep(seconds)
    publisher.kill()
    _, errors = publisher.communicate()
    assert not errors, errors


def _usual_time(stage: Path, target: Path, mode: Literal["full", "incremental"], layout: str) -> float:
    """Seconds from the word to the end of one publication of a changed staging, on a quiet machine."""
    publisher = programs.start(programs.PUBLISHING, stage, target, mode, layout)
    try:
        programs.expect(publisher, "ready")
        writer = processes.booking(stage, pause=0.05)
        processes.wait_until_changed(stage, 0)
        processes.stop(writer)
        begun = time.monotonic()
        programs.go(publisher)
        assert publisher.stdout is not None
        assert publisher.stdout.readline().startswith("gen-")
        return time.monotonic() - begun
    finally:
        processes.stop(publisher)


@contextmanager
def _at_work(folder: Path, stage: Path, target: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """A writer and one reader of each kind, during the block; all have begun."""
    with ExitStack() as stack:
        started = [programs.reader(target, how, folder / f"{how}.txt") for how in READERS]
        started.append(processes.booking(stage, pause=0.005))
        for each in started:
            stack.callback(processes.stop, each)
        deadline = time.monotonic() + 200
        while not all((folder / f"{how}.txt").stat().st_size for how in READERS):
            alive = all(each.poll() is None for each in started)
            assert alive and time.monotonic() < deadline, _errors(folder)
            time.sleep(0.02)
        yield started


@contextmanager
def _publishers(
    stage: Path, target: Path, mode: str, layout: str
) -> Iterator[Iterator[subprocess.Popen[str]]]:
    """Publishers that wait for the word, the next one always started already."""
    spare: list[subprocess.Popen[str]] = []

    def endless() -> Iterator[subprocess.Popen[str]]:
        while True:
            while len(spare) < 2:
                spare.append(programs.start(programs.PUBLISHING, stage, target, mode, layout))
            first = spare.pop(0)
            programs.expect(first, "ready")
            yield first

    try:
        yield endless()
    finally:
        for each in spare:
            processes.stop(each)


def _check_reads(folder: Path, *, several: bool) -> dict[str, int]:
    """Balanced books in every read, versions only ever newer, and one content for each version."""
    reads = {}
    sums: dict[str, set[str]] = {}
    for how in READERS:
        # The last line may be half written: its reader was killed as well.
        lines = [line.split() for line in (folder / f"{how}.txt").read_text().split("\n")[:-1]]
        assert not [line for line in lines if int(line[1]) != -int(line[2])], "torn"
        names = [line[0] for line in lines]
        assert names == sorted(names)
        if how != "path":
            assert len(set(names)) > 1 or not several, "the reader never saw a new version"
            for name, debit, _ in lines:
                sums.setdefault(name, set()).add(debit)
        reads[how] = len(lines)
    assert all(len(found) == 1 for found in sums.values()), "one version, two contents"
    return reads


def _check_the_end(
    stage: Path, target: Path, mode: Literal["full", "incremental"], layout: Literal["generations", "plain"]
) -> int:
    """One more publication sweeps the folder, and analytics equals staging row by row."""
    sync(stage, target, mode=mode, layout=layout)
    assert balance(stage) == 0
    assert not differences(content(stage), content(target))
    assert mirrored(target) == listed(target)
    assert not list(home_of(target).glob(".build*"))
    there = list(generations(home_of(target)))
    assert len(there) <= 3
    assert all(each.is_intact() for each in there)
    return there[0].number


def _errors(folder: Path) -> str:
    return "\n".join((folder / f"{how}.err").read_text() for how in READERS)


def _bytes_in(folder: Path) -> int:
    """Bytes of a folder's files, each counted once; what is removed meanwhile is nothing."""
    sizes = {}
    for path in folder.rglob("*"):
        try:
            found = path.lstat()
        except OSError:
            continue
        sizes[found.st_dev, found.st_ino] = found.st_size
    return sum(sizes.values())


def _bytes_of(database: Path) -> int:
    return database.stat().st_size
