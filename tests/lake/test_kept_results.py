"""Results of a lake's snapshots are kept and given again, under each snapshot's own name."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from greynb import api, connections
from greynb.databases.result import Result
from greynb.databases.resultcache import ResultCache
from greynb.routing import Settings
from tests.databases.kept import entries, written
from tests.lake.conftest import Lake

# Slow enough to be kept, and the same whenever it runs.
SLOW = "SELECT count(*) AS n, sum(r.id) AS s FROM races r, range(60_000) x(i) WHERE hash(i) % 7 <> 1"


@pytest.fixture
def kept(lake: Lake) -> Path:
    api.sync()
    return lake.folder / "results"


def ran(lake: Lake, folder: Path, sql: str = SLOW) -> Result:
    session = lake.cells()
    session.recall.cache = cache = ResultCache(folder, 10**8)
    done = cache.keep(session.fetch(sql))
    written()
    return done[-1].finished()


def test_a_statement_on_the_same_snapshot_is_not_run_again(lake: Lake, kept: Path) -> None:
    first, second = ran(lake, kept), ran(lake, kept)
    assert first.kept is None and second.kept is not None
    assert first.frame is not None and first.frame.equals(second.frame)


def test_another_process_or_a_new_connection_finds_it_too(lake: Lake, kept: Path) -> None:
    ran(lake, kept)
    connections.close_all()
    assert ran(lake, kept).kept is not None


def test_a_new_version_is_computed_and_a_pinned_one_found_again(lake: Lake, kept: Path) -> None:
    old = ran(lake, kept)
    lake.execute("DELETE FROM races WHERE id > 10")
    api.sync()
    new = ran(lake, kept)
    assert new.kept is None and old.frame is not None and not old.frame.equals(new.frame)
    connections.pin(Settings.current().route("analytics"), "1")
    again = ran(lake, kept)
    assert again.kept is not None and old.frame.equals(again.frame)


def test_a_lake_that_was_set_back_and_went_another_way_is_another_version(lake: Lake, kept: Path) -> None:
    before = lake.catalogue.with_suffix(".kept")
    with closing(sqlite3.connect(lake.catalogue)) as con, closing(sqlite3.connect(before)) as aside:
        con.backup(aside)
    lake.execute("DELETE FROM races WHERE id > 10")
    api.sync("full")
    assert ran(lake, kept).kept is None
    connections.close_all()
    for each in lake.folder.glob(f"{lake.catalogue.name}-*"):
        each.unlink()
    shutil.copyfile(before, lake.catalogue)
    lake.execute("DELETE FROM races WHERE id > 5")
    api.sync("full")
    found = ran(lake, kept)
    assert lake.cells().snapshot.id == "lake-000002"
    assert found.kept is None and found.frame is not None and found.frame["s"][0] % 15 == 0


def test_what_comes_out_otherwise_each_time_is_not_kept(lake: Lake, kept: Path) -> None:
    ran(lake, kept, SLOW.replace("count(*)", "random()").replace(", sum(r.id) AS s", "") + " LIMIT 1")
    assert entries(kept) == []
