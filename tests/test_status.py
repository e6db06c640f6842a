"""The status for people, machines and Prometheus, from the command line."""

from __future__ import annotations

import json
import re
import sqlite3
import sys
import time
from contextlib import closing
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greynb import columnar, get_conn
from greynb.cli import main
from greynb.connections import close_all
from greynb.overview import Publication, Status, status
from greynb.prometheus import metrics
from greynb.publish.lag import Lag
from greynb.rolestatus import RoleStatus
from tests.publish.processes import holding, stop

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL},?)*)\}})? (\S+)")


def parsed(text: str) -> dict[str, dict[frozenset[tuple[str, str]], float]]:
    """Read the text format, as its documentation describes it, and refuse what it does not allow.

    https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
    """
    assert text.endswith("\n"), "the last line must end with a line feed"
    helped: set[str] = set()
    typed: set[str] = set()
    found: dict[str, dict[frozenset[tuple[str, str]], float]] = {}
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name = line.split(" ")[2]
            assert name not in helped
            assert re.fullmatch(r"(?:[^\\]|\\\\|\\n)*", line)
            helped.add(name)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in typed
            assert name not in found, "TYPE comes before the first sample"
            assert kind in ("counter", "gauge", "histogram", "summary", "untyped")
            typed.add(name)
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            assert match[1] in typed & helped
            labels = {
                key: re.sub(r"\\(.)", lambda each: {"n": "\n"}.get(each[1], each[1]), value)
                for key, value in re.findall(LABEL, match[2] or "")
            }
            samples = found.setdefault(match[1], {})
            assert frozenset(labels.items()) not in samples
            samples[frozenset(labels.items())] = float(match[match.re.groups])
    return found


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """A staging file that the environment names, and an analytics path without a file."""
    monkeypatch.setenv("STAGING_DB_PATH", str(tmp_path / "stage.db"))
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(tmp_path / "analytics.db"))
    con = sqlite3.connect(tmp_path / "stage.db")
    con.executescript("CREATE TABLE races (race_id TEXT); INSERT INTO races VALUES ('a'), ('b')")
    con.close()
    return tmp_path


def commit(folder):
    time.sleep(0.05)
    con = sqlite3.connect(folder / "stage.db")
    con.execute("INSERT INTO races VALUES ('c')")
    con.commit()
    con.close()


def value(capsys, name):
    assert main(["status", "--prometheus"]) == 0
    (only,) = parsed(capsys.readouterr().out)[name].values()
    return only


def test_the_metrics_tell_sizes_version_and_lag(stage, capsys):
    before = time.time()
    main(["sync"])
    capsys.readouterr()
    assert value(capsys, "greynb_lag_seconds") == 0
    assert value(capsys, "greynb_published_version") == 1
    assert value(capsys, "greynb_staging_bytes") == (stage / "stage.db").stat().st_size
    assert value(capsys, "greynb_analytics_bytes") == (stage / "analytics.db").stat().st_size
    assert before <= value(capsys, "greynb_published_timestamp_seconds") <= time.time()
    assert value(capsys, "greynb_versions_kept") == 1
    commit(stage)
    assert 0 < value(capsys, "greynb_lag_seconds") <= time.time() - before


def test_what_is_not_known_is_left_out_and_not_given_as_zero(stage, capsys):
    assert main(["status", "--prometheus"]) == 0
    found = parsed(capsys.readouterr().out)
    up = {dict(labels)["role"]: number for labels, number in found["greynb_up"].items()}
    assert up == {"staging": 1, "analytics": 0}
    assert "greynb_lag_seconds" not in found
    assert "greynb_published_version" not in found
    assert "greynb_analytics_bytes" not in found


@given(st.text(), st.floats(0, 1e12), st.integers(0, 1 << 62))
def test_any_path_and_number_comes_back_from_the_metrics_as_it_was(path, seconds, size):
    role = RoleStatus("staging", path, "here", "dual", True, size, None, None, None)
    now = datetime.fromtimestamp(1_800_000_000, UTC)
    last = Publication("gen-000007", 7, now, "full", seconds, 3, size)
    found = parsed(metrics(Status(role, role_named("analytics", path), Lag(seconds, 0.5), last)))
    assert {dict(labels)["path"] for labels in found["greynb_up"]} == {path}
    assert found["greynb_lag_seconds"] == {frozenset(): seconds}
    assert found["greynb_staging_bytes"] == {frozenset(): float(size)}
    assert found["greynb_published_timestamp_seconds"] == {frozenset(): 1_800_000_000}


def role_named(name, path):
    return RoleStatus(name, path, "here", "dual", False, None, None, None, None)


def test_a_lag_beyond_the_limit_is_exit_code_3_and_said_on_standard_error(stage, capsys):
    main(["sync"])
    assert main(["status", "--max-lag", "1h"]) == 0
    assert main(["status", "--max-lag", "1ms"]) == 0
    commit(stage)
    capsys.readouterr()
    assert main(["status", "--max-lag", "1ms"]) == 3
    shown = capsys.readouterr()
    assert "too far behind" in shown.err and "behind staging by at most" in shown.out
    assert main(["status", "--max-lag", "1h", "--prometheus"]) == 0


def test_nothing_published_is_beyond_every_limit(stage):
    assert main(["status", "--max-lag", "1d"]) == 3


def test_a_limit_without_a_unit_is_a_wrong_call_that_says_how_to_write_it(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["status", "--max-lag", "10"])
    assert caught.value.code == 2
    assert "10m" in capsys.readouterr().err


def test_the_status_for_machines_has_the_lag_and_the_last_publication(stage, capsys):
    main(["sync"])
    capsys.readouterr()
    main(["status", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["lag"]["seconds"] == 0
    assert found["publication"]["id"] == "gen-000001"
    assert found["publication"]["versions"] == 1
    assert found["publication"]["disk_bytes"] >= found["analytics"]["bytes"]


def test_the_status_for_people_has_the_version_the_disk_use_and_the_lag(stage):
    main(["sync"])
    shown = str(status())
    assert re.search(r"gen-000001, \w+, published .* UTC.* · 1 version on disk, [\d.,]+ MB", shown)
    assert "nothing behind staging" in shown and " 0.0 s" not in shown
    commit(stage)
    assert "behind staging by at most" in str(status())


def test_the_rows_that_differ_are_counted_on_request(stage, capsys):
    main(["sync"])
    assert status(exact=True).behind.rows == 0
    commit(stage)
    capsys.readouterr()
    assert main(["status", "--exact", "--prometheus"]) == 0
    assert parsed(capsys.readouterr().out)["greynb_lag_rows"] == {frozenset(): 1}
    assert main(["status", "--exact"]) == 0
    assert "1 row differs in races" in capsys.readouterr().out


def test_an_exact_comparison_with_nothing_published_is_refused_with_what_to_do(stage, capsys):
    assert main(["status", "--exact"]) == 1
    assert "greynb sync" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--every", "5s"], ["--watch", "--dry-run"]])
def test_a_watch_is_not_begun_by_half_or_as_a_trial(words, stage, capsys):
    assert main(["sync", *words]) == 2
    assert "--watch" in capsys.readouterr().err
    assert not (stage / "analytics.db").exists()


@pytest.mark.parametrize(("mode", "word"), [("WAL", "wal"), ("DELETE", "rollback")])
def test_the_journal_mode_of_staging_is_told_without_opening_it(mode, word, stage):
    con = sqlite3.connect(stage / "stage.db")
    con.execute(f"PRAGMA journal_mode = {mode}")
    con.close()
    assert status().staging.journal == word
    assert [each.name for each in stage.iterdir()] == ["stage.db"]


def test_the_mirror_of_a_file_that_was_not_published_is_none_building_fresh_and_stale(stage):
    analytics = stage / "analytics.db"
    with closing(sqlite3.connect(analytics)) as con:
        con.execute(
            "CREATE TABLE t AS WITH n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 300000)"
            " SELECT i, hex(i) AS text FROM n"
        )
    assert "mirror none" in str(status())
    meanwhile = []
    columnar.build(told=lambda _: meanwhile.append(status().mirror.state))
    assert "building" in meanwhile
    assert "mirror fresh" in str(status())
    with closing(sqlite3.connect(analytics)) as con:
        con.execute("DELETE FROM t WHERE i = 1")
        con.commit()
    assert "mirror of an older version, not used" in str(status())


def test_a_file_that_is_no_database_is_told_as_such(stage):
    assert "SQLite" not in str(status())
    (stage / "stage.db").write_text("hello")
    assert "no SQLite database, or not readable: `greynb doctor`" in str(status())


def test_a_commit_in_the_log_is_the_last_write_and_the_log_has_a_size(stage, capsys):
    con = sqlite3.connect(stage / "stage.db")
    con.execute("PRAGMA journal_mode = WAL")
    time.sleep(0.05)
    before = (stage / "stage.db").stat().st_mtime
    con.execute("INSERT INTO races VALUES ('c')")
    con.commit()
    now = status()
    assert now.staging.written.timestamp() > before
    assert now.staging.log_bytes == (stage / "stage.db-wal").stat().st_size
    assert "WAL, log" in str(now)
    assert value(capsys, "greynb_staging_log_bytes") == now.staging.log_bytes
    con.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux lists the locks of others")
@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_who_writes_to_staging_is_named(mode, stage, capsys):
    con = sqlite3.connect(stage / "stage.db")
    con.execute(f"PRAGMA journal_mode = {mode}")
    con.close()
    writer = holding(stage / "stage.db", "BEGIN IMMEDIATE")
    try:
        (lock,) = status().staging.locks
        assert main(["status", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)["staging"]["locks"]
        assert value(capsys, "greynb_locks") == 1
    finally:
        stop(writer)
    assert (lock.pid, lock.doing) == (writer.pid, "writing")
    assert told[0]["pid"] == writer.pid and "python" in told[0]["command"]
    assert status().staging.locks == ()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux lists the locks of others")
def test_a_reader_in_wal_is_reading_and_an_idle_connection_is_nothing(stage):
    con = sqlite3.connect(stage / "stage.db", isolation_level=None)
    con.execute("PRAGMA journal_mode = WAL")
    con.execute("SELECT * FROM races").fetchall()
    assert status().staging.locks == ()
    con.execute("BEGIN")
    con.execute("SELECT * FROM races").fetchall()
    assert [each.doing for each in status().staging.locks] == ["reading"]
    con.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux lists the locks of others")
def test_who_keeps_a_version_of_analytics_is_named(stage):
    main(["sync"])
    con = get_conn("analytics")
    con.execute("SELECT count(*) FROM races").fetchone()
    assert "keeping gen-000001" in {each.doing for each in status().analytics.locks}
    con.close()
    close_all()
    assert status().analytics.locks == ()
