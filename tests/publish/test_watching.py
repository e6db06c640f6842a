"""The watch publishes what writers commit, alone, and ends when told; real processes throughout."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greynb.databases.generations import generation_at, generations, home_of
from greynb.errors import PublisherBusy, PublishError, UsageError
from greynb.publish import sync, watching
from greynb.publish.durations import duration, shown
from greynb.publish.home import publishing
from greynb.publish.result import SyncResult
from tests.publish.processes import balance, booking, make_books, stop

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ")


class Watch:
    """`greynb sync --watch` as a process, and the lines that it has written."""

    def __init__(self, stage: Path, target: Path, every: str = "200ms") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "greynb", "sync", "--watch", "--every", every],
            env={**os.environ, "STAGING_DB_PATH": str(stage), "ANALYTICS_DB_PATH": str(target)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        until(lambda: self.said("watching"))

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def said(self, word: str) -> list[str]:
        return [line for line in self.lines if word in line]

    def end(self, number: int = signal.SIGTERM) -> float:
        """Ask it to stop; gives the seconds that it took."""
        begun = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(20)
        took = time.monotonic() - begun
        self._reader.join()
        return took


def until(true: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def amount(path: Path, mode: str = "ro") -> int:
    """The sum that a writer raises with each commit; "rw" repairs what a killed writer left."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=20)) as con:
        return int(con.execute("SELECT sum(amount) FROM debit").fetchone()[0])


def commit(path: Path, value: int) -> None:
    with closing(sqlite3.connect(path)) as con:
        con.execute("UPDATE debit SET amount = ? WHERE id = 0", (value,))
        con.execute("UPDATE credit SET amount = -? WHERE id = 0", (value,))
        con.commit()


@pytest.fixture(params=["WAL", "DELETE"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return make_books(tmp_path / "stage.db", wal=request.param == "WAL")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "analytics.db"


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes to kill at the end, whatever happened."""
    found: list[subprocess.Popen[str]] = []
    yield found
    for each in found:
        stop(each)


@pytest.fixture
def watch(stage: Path, target: Path) -> Iterator[Watch]:
    found = Watch(stage, target)
    yield found
    if found.process.poll() is None:
        found.process.kill()
    found.end()
    for stream in (found.process.stdout, found.process.stderr):
        assert stream is not None
        stream.close()


def test_a_writer_that_commits_every_5_ms_is_followed_whole_versions_only(watch, stage, target, started):
    writer = booking(stage, pause=0.005)
    started.append(writer)
    until(lambda: len(watch.said("published gen-")) >= 3)
    assert balance(target) == 0
    stop(writer)
    committed = amount(stage, "rw")
    until(lambda: amount(target) == committed)
    assert balance(target) == 0
    watch.end()
    numbers = [int(line.split("gen-")[1][:6]) for line in watch.said("Z published")]
    assert numbers == sorted(set(numbers))
    assert watch.process.returncode == 0
    assert all(STAMP.match(line) for line in watch.lines), watch.lines
    assert re.search(r"published gen-\d+: \w+, [\d,]+ rows.*, \d+\.\d\d s", watch.said("Z published")[-1])
    assert watch.lines[-1].endswith("stopped\n")


def test_a_steady_writer_does_not_make_it_publish_in_a_tight_loop(stage, target, started):
    watch = Watch(stage, target, every="1s")
    try:
        started.append(booking(stage, pause=0.002))
        begun = time.monotonic()
        until(lambda: len(watch.said("Z published")) >= 3)
        assert time.monotonic() - begun > 1.5
    finally:
        watch.end()
        for stream in (watch.process.stdout, watch.process.stderr):
            assert stream is not None
            stream.close()


def test_nothing_is_published_while_nothing_changes_and_nothing_is_left_beside_staging(watch, stage, target):
    until(lambda: watch.said("published gen-000001"))
    beside = {each.name for each in stage.parent.iterdir()}
    time.sleep(1.2)
    assert len(watch.said("Z published")) == 1
    assert {each.name for each in stage.parent.iterdir()} == beside
    commit(stage, 7)
    until(lambda: amount(target) == 7)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_a_second_while_it_is_idle(watch, number):
    until(lambda: watch.said("Z published"))
    assert watch.end(number) < 1.0
    assert watch.process.returncode == 0


def test_a_restart_publishes_nothing_that_is_published_already(watch, stage, target):
    until(lambda: watch.said("Z published"))
    time.sleep(0.5)
    watch.end()
    before = generation_at(target)
    again = Watch(stage, target)
    time.sleep(0.6)
    again.end()
    for stream in (again.process.stdout, again.process.stderr):
        assert stream is not None
        stream.close()
    assert not again.said("Z published")
    assert before is not None
    assert generation_at(target).folder == before.folder


def test_a_missing_staging_is_waited_for_and_a_new_one_is_published(watch, stage, target, tmp_path):
    until(lambda: watch.said("Z published"))
    aside = make_books(tmp_path / "other.db", rows=3)
    commit(aside, 5)
    stage.unlink()
    until(lambda: watch.said("waiting"))
    time.sleep(0.5)
    assert len(watch.said("waiting")) == 1
    assert balance(target) == 0
    aside.replace(stage)
    until(lambda: amount(target) == 5)


def test_a_vacuum_and_another_journal_mode_are_survived(watch, stage, target):
    until(lambda: watch.said("Z published"))
    for number, (change, mode) in enumerate((("VACUUM", "DELETE"), ("VACUUM", "WAL")), start=1):
        with closing(sqlite3.connect(stage, timeout=20, isolation_level=None)) as con:
            assert con.execute(f"PRAGMA journal_mode = {mode}").fetchone()[0] == mode.lower()
            con.execute(change)
            con.execute("UPDATE debit SET amount = ? WHERE id = 0", (number,))
            until(lambda number=number: amount(target) == number)


def test_a_commit_that_stays_in_the_log_of_an_open_connection_is_seen(watch, stage, target):
    until(lambda: watch.said("Z published"))
    with closing(sqlite3.connect(stage, timeout=20, isolation_level=None)) as con:
        con.execute("PRAGMA journal_mode = WAL")
        con.execute("PRAGMA wal_autocheckpoint = 0")
        for number in range(1, 6):
            con.execute("UPDATE debit SET amount = ? WHERE id = 0", (number,))
            until(lambda number=number: amount(target) == number)


def test_another_publisher_at_work_is_waited_for_and_said_once(stage, target):
    log: list[str] = []
    ended = threading.Event()
    with publishing(target):
        thread = in_background(stage, target, lambda: sync(stage, target), ended, log.append)
        until(lambda: any("waiting: another publisher" in line for line in log))
        time.sleep(0.4)
        assert len([line for line in log if "waiting" in line]) == 1
        assert generation_at(target) is None
    until(lambda: any("published gen-000001" in line for line in log))
    ended.set()
    thread.join(5)
    assert not thread.is_alive()


def test_a_failure_is_logged_in_one_line_and_tried_again_later(stage, target, monkeypatch):
    log: list[str] = []
    ended = threading.Event()
    failures = iter([PublishError("the disk\nis full", hint="make room"), OSError(5, "no luck")])

    def publish() -> SyncResult:
        for failure in failures:
            raise failure
        return sync(stage, target)

    thread = in_background(stage, target, publish, ended, log.append)
    until(lambda: any("Z published" in line for line in log))
    ended.set()
    thread.join(5)
    failed = [line for line in log if "failed" in line]
    assert "failed: the disk is full; again in 1 s" in failed[0]
    assert "no luck; again in 2 s" in failed[1]
    assert all("\n" not in line for line in log)


def test_a_staging_that_cannot_be_looked_at_is_tried_again_as_rarely_as_is_said(target):
    log: list[str] = []
    moments: list[float] = []
    ended = threading.Event()

    def note(line: str) -> None:
        moments.append(time.monotonic())
        log.append(line)

    unreachable = target.with_name("x" * 300)  # a name that no file system takes
    thread = in_background(unreachable, target, lambda: sync(unreachable, target), ended, note)
    until(lambda: len(log) >= 3)
    ended.set()
    thread.join(5)
    assert [line.rpartition("; ")[2] for line in log[1:3]] == ["again in 1 s", "again in 2 s"]
    assert moments[2] - moments[1] >= 1


def in_background(
    stage: Path,
    target: Path,
    publish: Callable[[], SyncResult],
    ended: threading.Event,
    log: Callable[[str], None],
) -> threading.Thread:
    thread = threading.Thread(
        target=watching.watch,
        args=(stage, target),
        kwargs={"every": 0.05, "publish": publish, "stop": ended, "log": log},
    )
    thread.start()
    return thread


def test_two_watches_on_one_pair_never_publish_at_the_same_time(watch, stage, target, started):
    second = Watch(stage, target)
    started.append(booking(stage, pause=0.005))
    until(lambda: len(watch.said("Z published")) >= 3 or len(second.said("Z published")) >= 3)
    second.end()
    watch.end()
    for stream in (second.process.stdout, second.process.stderr):
        assert stream is not None
        stream.close()
    made = [line.split("gen-")[1][:6] for each in (watch, second) for line in each.said("Z published")]
    assert len(made) == len(set(made))
    assert not watch.said("failed") and not second.said("failed")
    assert balance(target) == 0


def test_stopping_during_a_publication_leaves_a_whole_version_and_no_rest(tmp_path, target):
    stage = make_books(tmp_path / "big.db", wal=True, rows=60_000)
    sync(stage, target)
    commit(stage, 3)
    watch = Watch(stage, target)
    until(lambda: list(home_of(target).glob(".build-*")) or watch.said("Z published"))
    took = watch.end()
    for stream in (watch.process.stdout, watch.process.stderr):
        assert stream is not None
        stream.close()
    assert took < 5
    assert watch.process.returncode == 0
    assert amount(target) in (0, 3)
    assert balance(target) == 0
    assert not list(home_of(target).glob(".build-*"))
    assert all(each.is_intact() for each in generations(home_of(target)))


def test_the_error_of_a_busy_publisher_can_be_told_from_others(stage, target):
    with publishing(target), pytest.raises(PublisherBusy, match="another publisher"):
        sync(stage, target)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5s", 5), ("250ms", 0.25), ("10m", 600), ("2h", 7200), ("1.5 m", 90), ("1d", 86400), (" 3S ", 3)],
)
def test_durations_are_read_with_their_unit(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "s", "0s", "-1s", "5 weeks", "1e3s", "nan", "٣s", "9" * 400 + "s"])
def test_other_texts_are_no_durations_and_the_error_says_what_is(text):
    with pytest.raises(UsageError, match="250ms, 5s, 10m, 2h or 1d"):
        duration(text)


@given(st.text())
def test_any_text_is_a_positive_duration_or_a_usage_error(text):
    with suppress(UsageError):
        assert duration(text) > 0


@given(st.floats(0, 1e9))
def test_any_length_of_time_can_be_shown(seconds):
    assert re.fullmatch(r"[\d.]+ (ms|s|min|h|days)", shown(seconds))


def test_what_took_no_tenth_of_a_second_is_shown_in_milliseconds():
    assert [shown(seconds) for seconds in (0.027, 0.31)] == ["27 ms", "0.3 s"]
