"""Faults of what was published."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from greynb import columnar
from greynb.connections import shelf
from greynb.databases.generations import generation_at, home_of
from greynb.doctor import treat
from greynb.publish import sync
from greynb.routing import Settings
from tests.doctor.conftest import change, found, ids


def quiet(_line: str) -> None:
    """What the doctor tells is of no interest here."""


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """A cache folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_lag_beyond_a_limit_that_was_asked_for_is_an_error(demo, look):
    change(demo.staging, "DELETE FROM live_odds")
    time.sleep(0.1)
    assert found(look(max_lag=0.05), "lag").level == "error"
    assert "lag" not in ids(look(max_lag=3600))
    assert "lag" not in ids(look())


def test_a_lag_of_more_than_a_day_is_a_warning_unasked(demo, look):
    change(demo.staging, "DELETE FROM live_odds")
    note = home_of(demo.analytics) / "confirmed.json"
    if note.exists():
        note.unlink()
    version = generation_at(demo.analytics)
    manifest = version.folder / "manifest.json"
    before = version.manifest.source["mtime_ns"]
    manifest.chmod(0o644)
    manifest.write_text(manifest.read_text().replace(str(before), str(before - 3 * 86_400 * 10**9)))
    finding = found(look(), "lag")
    assert finding.level == "warning" and "3.0 days" in finding.evidence[0]


def test_a_copied_analytics_file_has_no_known_lag_and_that_is_an_error_under_a_limit(demo, look):
    demo.analytics.unlink()
    shutil.copy(demo.staging, demo.analytics)
    assert found(look(), "lag-unknown").level == "info"
    assert found(look(max_lag=3600), "lag-unknown").level == "error"


def test_something_that_wrote_into_the_published_file_is_told(demo, look):
    generation_at(demo.analytics).database.chmod(0o644)
    change(demo.analytics, "PRAGMA journal_mode = DELETE", "DELETE FROM live_odds")
    finding = found(look(), "analytics-written")
    assert finding.level == "warning" and "gen-000001" in finding.evidence[0]
    assert finding.fix is None, "nothing is changed on the readers' side in place"
    sync(demo.staging, demo.analytics)
    assert "analytics-written" not in ids(look())


def test_a_file_without_a_mirror_is_only_told_and_the_fix_builds_one(demo, look):
    demo.analytics.unlink()
    change(demo.staging, "PRAGMA journal_mode = DELETE")
    shutil.copy(demo.staging, demo.analytics)
    os.utime(demo.analytics, (1, 1))
    examination = look()
    assert found(examination, "mirror-stale").level == "info"
    treated = {each.id: each for each in treat(examination, quiet)}
    assert treated["mirror-stale"].outcome == "done", treated["mirror-stale"].said
    assert columnar.status().state == "fresh"
    assert "mirror-stale" not in ids(look())


def test_a_mirror_of_an_older_file_is_a_warning(demo, look):
    demo.analytics.unlink()
    change(demo.staging, "PRAGMA journal_mode = DELETE")
    shutil.copy(demo.staging, demo.analytics)
    columnar.build()
    change(demo.analytics, "DELETE FROM live_odds")
    os.utime(demo.analytics, (1, 1))
    assert found(look(), "mirror-stale").level == "warning"


def test_a_published_mirror_that_was_written_to_is_a_warning(demo, look):
    mirror = generation_at(demo.analytics).mirror()
    mirror.chmod(0o644)
    with closing(duckdb.connect(str(mirror))) as con:
        con.execute("CREATE TABLE more (a INTEGER)")
    finding = found(look(), "mirror-stale")
    assert finding.level == "warning" and "analytics.duckdb" in finding.evidence[0]


@pytest.mark.parametrize("beside", ["home", "shelf"])
def test_builds_whose_builder_died_are_told_and_swept_by_the_fix(beside, demo, look):
    route = Settings.current().route("analytics")
    folder = home_of(demo.analytics) if beside == "home" else shelf(route).home()
    left = folder / ".build-4711-0"
    left.mkdir()
    (left / "analytics.db").write_bytes(b"x" * 1000)
    os.utime(left, (time.time() - 600, time.time() - 600))
    examination = look()
    assert found(examination, "dead-builds").evidence == (f"{left} (0.0 MB)",)
    treat(examination, quiet)
    assert not left.exists()
    assert generation_at(demo.analytics).is_intact()
    assert "dead-builds" not in ids(look())


def test_the_build_of_a_living_publisher_is_left_alone(demo, look):
    home = home_of(demo.analytics)
    left = home / ".build-4711-0"
    left.mkdir()
    os.utime(left, (1, 1))
    program = (
        "import fcntl, sys, time; file = open(sys.argv[1], 'a'); fcntl.flock(file, fcntl.LOCK_EX);"
        "print('held', flush=True); time.sleep(60)"
    )
    publisher = subprocess.Popen(
        [sys.executable, "-c", program, str(home / "publisher.lock")], stdout=subprocess.PIPE, text=True
    )
    assert publisher.stdout is not None and publisher.stdout.readline() == "held\n"
    try:
        assert "dead-builds" not in ids(look())
    finally:
        publisher.kill()
        publisher.communicate()
    assert "dead-builds" in ids(look())
    assert Path(left).exists()
