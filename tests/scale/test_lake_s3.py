"""A lake whose files lie on an S3 server: publications, cells, upkeep, fences and faults."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

import greynb
from greynb import api, connections
from greynb.routing import Settings
from tests.lake.conftest import Lake, fill
from tests.scale.s3 import S3Server, is_installed


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    if not is_installed():
        pytest.skip("Swift is not installed: make test-scale does that where it may")
    server = S3Server()
    yield server
    server.remove()


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3: S3Server) -> Iterator[Lake]:
    made = Lake(tmp_path)
    fill(made.staging)
    bucket = f"races-{secrets.token_hex(4)}"
    assert s3.request("PUT", f"/{bucket}") == 200
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STAGING_DB_PATH", str(made.staging))
    monkeypatch.setenv("ANALYTICS_DB_PATH", f"ducklake:{made.catalogue}")
    monkeypatch.setenv("LAKE_DATA_PATH", f"s3://{bucket}/lake")
    for name, text in s3.environment().items():
        monkeypatch.setenv(name, text)
    yield made
    connections.close_all()


def test_publications_cells_history_and_rollback_work_as_in_a_folder(lake: Lake, s3: S3Server) -> None:
    assert api.sync().id == "lake-000001"
    lake.execute("UPDATE races SET prize = 1 WHERE id < 10", "DELETE FROM tips")
    done = api.sync()
    assert (done.mode, done.tables["races"].updated) == ("incremental", 8)
    assert api.verify().equal
    assert lake.rows("SELECT count(*) FROM tips") == [(0,)]
    connections.pin(Settings.current().route("analytics"), "1")
    assert lake.rows("SELECT count(*) FROM tips") == [(900,)]
    connections.unpin(Settings.current().route("analytics"))
    api.rollback()
    assert lake.rows("SELECT count(*) FROM tips") == [(900,)]
    assert [each.id for each in api.history()] == ["lake-000003", "lake-000002", "lake-000001"]
    assert "lake-000003" in str(greynb.status())
    assert not list(lake.folder.glob("**/*.parquet"))
