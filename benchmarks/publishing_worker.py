"""One fresh process, one task of publishing.py; prints what it found as JSON. Times are in seconds."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

ROWS_PER_SECOND = 2_000
ROWS_PER_COMMIT = 100
EVERY = 0.5


def make(path: Path, races: str) -> dict[str, Any]:
    """A season, in WAL as the collector's."""
    from greynb.demo import season, write_season

    write_season(path, season(int(races)))
    with closing(sqlite3.connect(path)) as con:
        con.execute("PRAGMA journal_mode = WAL")
    return {}


def backup(source: Path, copy: Path) -> dict[str, Any]:
    """SQLite's online backup in one step, and fsync."""
    copy.unlink(missing_ok=True)
    begun = time.perf_counter()
    with closing(sqlite3.connect(source)) as con, closing(sqlite3.connect(copy)) as new:
        con.backup(new, pages=-1)
    with copy.open("r+b") as file:
        os.fsync(file.fileno())
    took = time.perf_counter() - begun
    copy.unlink()
    return {"seconds": took}


def publish(source: Path, target: Path, mode: str) -> dict[str, Any]:
    """One publication. Its fsyncs are timed apart: they are parts of steps."""
    import resource

    from greynb.publish.publication import sync

    waited = 0.0
    fsync = os.fsync

    def timed(descriptor: int) -> None:
        nonlocal waited
        begun = time.perf_counter()
        fsync(descriptor)
        waited += time.perf_counter() - begun

    os.fsync = timed  # type: ignore[assignment]
    begun = time.perf_counter()
    result = sync(source, target, mode=mode, keep=1)  # type: ignore[arg-type]
    took = time.perf_counter() - begun
    return {
        "seconds": took,
        "steps": dict(result.seconds),
        "fsync": waited,
        "mode": result.mode,
        "reason": result.reason,
        "pages": result.pages,
        "pages_changed": result.pages_changed,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def write(source: Path, seconds: str) -> dict[str, Any]:
    """Commit 100 rows 20 times a second, each time with the commit's number in them."""
    commits, busy = [], 0.0
    rows = [(f"bench-{n}", "BENCH", 2.5, "2025-08-01 10:00:00") for n in range(ROWS_PER_COMMIT)]
    with closing(sqlite3.connect(source, isolation_level=None, timeout=60)) as con:
        con.execute("PRAGMA synchronous = NORMAL")
        (number,) = con.execute("SELECT max(id) FROM odds_history").fetchone()
        begun = time.monotonic()
        while (now := time.monotonic()) < begun + float(seconds):
            started = time.perf_counter()
            con.execute("BEGIN IMMEDIATE")
            con.executemany(
                "INSERT INTO odds_history (race_id, dog_clean_name, odds_decimal, timestamp)"
                " VALUES (?, ?, ?, ?)",
                rows,
            )
            con.execute("COMMIT")
            busy += time.perf_counter() - started
            number += ROWS_PER_COMMIT
            commits.append((number, time.time()))
            due = begun + len(commits) * ROWS_PER_COMMIT / ROWS_PER_SECOND
            time.sleep(max(0.0, due - time.monotonic()))
    took = max(now, time.monotonic()) - begun
    return {
        "commits": commits,
        "rate": len(commits) * ROWS_PER_COMMIT / took,
        "busy": busy / len(commits),
    }


def watch(source: Path, target: Path) -> dict[str, Any]:
    """Publish whenever staging changes, until SIGTERM."""
    from greynb.publish.publication import sync
    from greynb.publish.watching import watch as run

    stop = threading.Event()
    thread = threading.Thread(
        target=run,
        args=(source, target),
        kwargs={
            "every": EVERY,
            "publish": lambda: sync(source, target, keep=1),
            "stop": stop,
            "log": lambda line: print(line, file=sys.stderr),
        },
    )
    thread.start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        signal.pause()
    finally:
        stop.set()
        thread.join()
    return {}


def read(target: Path, seconds: str) -> dict[str, Any]:
    """What a new cell sees, five times a second: the number of the newest commit."""
    from greynb.databases.analytics import AnalyticsSession
    from greynb.databases.snapshot import SnapshotSource

    seen = []
    with closing(AnalyticsSession(SnapshotSource(target, shared=False))) as session:
        end = time.monotonic() + float(seconds)
        while time.monotonic() < end:
            frame = session.run("SELECT max(id) AS newest FROM odds_history")[0].frame
            assert frame is not None
            seen.append((time.time(), int(frame["newest"][0])))
            time.sleep(0.2)
    return {"seen": seen}


TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    "make": make,
    "backup": backup,
    "publish": publish,
    "write": write,
    "watch": watch,
    "read": read,
}


def main() -> None:
    """Run the task that the command line names; what looks like a path is one."""
    name, *arguments = sys.argv[1:]
    values = [Path(each) if os.sep in each else each for each in arguments]
    print(json.dumps(TASKS[name](*values)))


if __name__ == "__main__":
    main()
