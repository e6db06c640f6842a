"""Staging that is truncated, damaged, or was left by a crash in the middle of a transaction."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal

import pytest

from greynb.databases.generations import home_of
from greynb.errors import DatabaseError, GreynbError, PublishError
from greynb.publish import sync
from tests.publish import processes
from tests.publish.processes import balance, make_books
from tests.publish.survival import programs
from tests.publish.survival.comparing import content, differences

Mode = Literal["full", "incremental"]
MODES: list[Mode] = ["full", "incremental"]
PAGE = 4096


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    return make_books(tmp_path / "stage.db", rows=120)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "analytics.db"


def refused(stage: Path, target: Path, mode: Mode) -> GreynbError:
    """The error of a publication that must not happen; analytics is as before."""
    before = content(target)
    with pytest.raises(GreynbError) as caught:
        sync(stage, target, mode=mode)
    assert isinstance(caught.value, PublishError | DatabaseError)
    assert not differences(before, content(target))
    assert not list(home_of(target).glob(".build-*"))
    return caught.value


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("part", [0.9, 0.5, 0.1, 0.01])
def test_a_truncated_staging_is_refused_and_analytics_stays(
    stage: Path, target: Path, part: float, mode: Mode
) -> None:
    sync(stage, target)
    os.truncate(stage, int(stage.stat().st_size * part))
    refused(stage, target, mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_staging_cut_at_any_page_is_refused(stage: Path, target: Path, mode: Mode) -> None:
    sync(stage, target)
    for pages in range(stage.stat().st_size // PAGE - 1, 0, -2):
        os.truncate(stage, pages * PAGE)
        refused(stage, target, mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_staging_with_rubbish_in_any_page_is_refused(
    tmp_path: Path, stage: Path, target: Path, mode: Mode
) -> None:
    """Each page of these tables is a b-tree page, so rubbish at its start cannot be content."""
    sync(stage, target)
    good = stage.read_bytes()
    bad = tmp_path / "stage.db"
    for page in range(len(good) // PAGE):
        bad.write_bytes(good[: page * PAGE] + b"\xee" * 64 + good[page * PAGE + 64 :])
        refused(bad, target, mode)
    bad.write_bytes(good)
    sync(bad, target, mode=mode)
    assert not differences(content(bad), content(target))


@pytest.mark.parametrize("mode", MODES)
def test_damage_in_an_index_is_never_published(stage: Path, target: Path, mode: Mode) -> None:
    with closing(sqlite3.connect(stage)) as con:
        con.execute("CREATE INDEX by_amount ON debit (amount, filler)")
        root = con.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'by_amount'").fetchone()[0]
    sync(stage, target)
    with stage.open("r+b") as file:
        file.seek((root - 1) * PAGE)
        file.write(b"\xee" * 64)
    refused(stage, target, mode)  # although no row has changed
    with closing(sqlite3.connect(stage)) as con:
        con.execute("UPDATE credit SET filler = 'changed' WHERE id = 3")
        con.commit()
    refused(stage, target, mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_staging_that_became_something_else_is_refused(stage: Path, target: Path, mode: Mode) -> None:
    sync(stage, target)
    stage.write_bytes(b"id,box\n1,2\n" * 500)
    error = refused(stage, target, mode)
    assert error.role == "staging"
    stage.unlink()
    assert refused(stage, target, mode).role == "staging"
    stage.mkdir()
    assert refused(stage, target, mode).role == "staging"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wal", [True, False])
def test_what_a_dead_writer_left_is_rolled_back_and_the_rest_published(
    tmp_path: Path, target: Path, wal: bool, mode: Mode
) -> None:
    stage = make_books(tmp_path / "stage.db", wal=wal, rows=2000)
    sync(stage, target)
    writer = processes.booking(stage, pause=0.02)
    processes.wait_until_changed(stage, 0)
    processes.stop(writer)
    processes.crash_in_transaction(stage)
    assert Path(f"{stage}{'-wal' if wal else '-journal'}").stat().st_size > 0
    done = programs.publish_once(stage, target, mode)
    assert done.stdout == "gen-000002\n", done.stderr
    assert balance(target) == 0
    assert not differences(content(stage), content(target))


def test_a_staging_replaced_by_a_copy_without_its_log_is_published_as_it_is(
    tmp_path: Path, target: Path
) -> None:
    stage = make_books(tmp_path / "stage.db", wal=True)
    sync(stage, target)
    shutil.copy(make_books(tmp_path / "other.db", rows=50), tmp_path / "new.db")
    (tmp_path / "new.db").replace(stage)
    sync(stage, target)
    assert not differences(content(tmp_path / "other.db"), content(target))
