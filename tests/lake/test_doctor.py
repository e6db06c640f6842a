"""What the doctor finds of a lake."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from greynb import api
from greynb.databases.extension import extension_path
from greynb.doctor.examination import examine
from greynb.doctor.patient import Patient
from greynb.lake.attaching import ALIAS, opened
from greynb.routing import Settings
from tests.lake.conftest import Lake


def found() -> dict[str, str]:
    """The findings about a lake or Spark, by name."""
    with closing(Patient(Settings.current())) as patient:
        findings = examine(patient).findings
    return {each.id: str(each) for each in findings if each.id.startswith(("lake-", "spark-"))}


def test_a_lake_that_was_published_is_healthy_and_one_that_is_not_there_is_a_notice(lake: Lake) -> None:
    assert found()["lake-unreadable"].startswith("info:")
    api.sync()
    assert found() == {}


def test_a_catalogue_for_one_process_is_warned_of(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    single = tmp_path / "single.ducklake"
    with duckdb.connect() as con:
        con.execute(f"LOAD '{extension_path('ducklake')}'")
        con.execute(f"ATTACH 'ducklake:{single}' AS lake")
        con.execute("CREATE TABLE lake.t AS SELECT 1 AS x")
    monkeypatch.setenv("ANALYTICS_DB_PATH", f"ducklake:{single}")
    assert list(found()) == ["lake-for-one"]
    assert lake.rows("SELECT x FROM t") == [(1,)]


def test_what_spark_cannot_read_and_a_spark_that_is_not_there_are_found(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.sync()
    server = Settings.current().route("analytics").lake
    assert server is not None
    with closing(opened(server, writing=True)) as con:
        con.execute(f"DELETE FROM {ALIAS}.main.races WHERE id = 5")
    assert found() == {}
    monkeypatch.setenv("ANALYTICS_ENGINE", "spark")
    monkeypatch.setenv("SPARK_REMOTE", "sc://127.0.0.1:9")
    assert sorted(found()) == ["lake-unprepared", "spark-unreachable"]
