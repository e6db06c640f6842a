"""The processes of the survival tests, besides those in `tests.publish.processes`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

PUBLISHING = """
import sys
from pathlib import Path
import greynb.databases.census, greynb.publish.pages, greynb.mirror
# else these would be imported in the publication, which is the target
from greynb.publish import sync
print("ready", flush=True)
sys.stdin.readline()
while True:
    print(sync(Path(sys.argv[1]), Path(sys.argv[2]), mode=sys.argv[3], layout=sys.argv[4]).id, flush=True)
"""
ONCE = """
import sys
from pathlib import Path
from greynb.errors import GreynbError
from greynb.publish import sync
try:
    print(sync(Path(sys.argv[1]), Path(sys.argv[2]), mode=sys.argv[3], layout=sys.argv[4]).id)
except GreynbError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""
HALTING = """
import sys, time
from pathlib import Path
from greynb.publish import sync
def halt(step, part):
    if step == sys.argv[3]:
        print("halted", flush=True)
        time.sleep(60)
sync(Path(sys.argv[1]), Path(sys.argv[2]), progress=halt)
"""
_READING = """
import sqlite3, sys
from contextlib import closing
from pathlib import Path
from greynb.databases.snapshot import SnapshotSource
path = Path(sys.argv[1])
SUM = "SELECT coalesce(sum(amount), 0) AS s FROM "
def both(path):
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as con:
        return con.execute(f"SELECT ({SUM} debit), ({SUM} credit)").fetchone()
def by_path():
    return "gen-", *both(path)
def by_sqlite():
    snapshot = source.acquire()
    found = both(snapshot.path)
    assert source.still_valid(snapshot)
    return snapshot.id, *found
def by_duckdb():
    return by_cell("never")
def by_mirror():
    found = by_cell("auto")
    assert session.mirroring.note == "", session.mirroring.note
    return found
def by_cell(mode):
    from greynb.databases.analytics import AnalyticsSession
    global session
    session = session or AnalyticsSession(source)
    session.mirroring.mode = mode
    results = session.run(f"{SUM} debit; {SUM} credit")
    assert not any(each.notices for each in results), results
    return session.snapshot.id, *(int(each.frame["s"][0]) for each in results)
source, session = SnapshotSource(path, shared=False), None
read = globals()["by_" + sys.argv[2]]
while True:
    print(*read(), flush=True)
"""
_TIMED_WRITING = """
import os, sqlite3, sys, time
con = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0)
number, longest, refused, since, overslept = 0, 0.0, 0, None, 0.0
while not os.path.exists(sys.argv[2]):
    number += 1
    try:
        con.execute("BEGIN IMMEDIATE")
        con.execute("UPDATE debit SET amount = amount + 1 WHERE id = ?", (number % 400,))
        con.execute("UPDATE credit SET amount = amount - 1 WHERE id = ?", (number % 400,))
        con.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        if con.in_transaction:
            con.execute("ROLLBACK")
        refused += 1
        since = since or time.monotonic()
    else:
        if since is not None:
            longest, since = max(longest, time.monotonic() - since), None
    if number == 1:
        print("writing", flush=True)
    before = time.monotonic()
    time.sleep(0.005)
    overslept = max(overslept, time.monotonic() - before)
print(number, refused, longest, overslept)
"""


def start(
    program: str, *arguments: object, output: Path | None = None, **options: Any
) -> subprocess.Popen[str]:
    """Run a program; its output goes to a pipe, or to a file and its errors to another beside that."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    if output is None:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
    with output.open("w") as out, output.with_suffix(".err").open("w") as err:
        return subprocess.Popen(command, stdout=out, stderr=err, text=True, **options)


def reader(target: Path, how: str, output: Path) -> subprocess.Popen[str]:
    """A process that reads the sums of both tables again and again, and the version where it knows it."""
    return start(_READING, target, how, output=output)


def timed_writer(stage: Path, stop: Path) -> subprocess.Popen[str]:
    """Commit every 5 ms without ever waiting, until `stop` exists.

    Then it prints commits tried and refused, the longest refusal in seconds, and the longest of the pauses
    that were to be of 5 ms: what a busy machine adds.
    """
    process = start(_TIMED_WRITING, stage, stop)
    expect(process, "writing")
    return process


def expect(process: subprocess.Popen[str], line: str) -> None:
    """Wait for the next line of a process."""
    assert process.stdout is not None
    found = process.stdout.readline().strip()
    assert found == line, f"{found!r}\n{process.communicate()[1]}"


def go(process: subprocess.Popen[str]) -> None:
    """Send the line that a process waits for."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def publish_once(
    source: Path, target: Path, mode: str = "incremental", layout: str = "auto", **options: Any
) -> subprocess.CompletedProcess[str]:
    """One publication by a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", ONCE, str(source), str(target), mode, layout],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )
