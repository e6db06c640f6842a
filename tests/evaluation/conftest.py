"""A season that is staged and published, for the tests of `greynb.evaluate` as a person calls it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import greynb
from greynb.connections import close_all
from greynb.demo import season
from greynb.demo.write import write_season


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of stage.db and analytics.db, which the environment names."""
    monkeypatch.setenv("STAGING_DB_PATH", str(tmp_path / "stage.db"))
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(tmp_path / "analytics.db"))
    write_season(tmp_path / "stage.db", season(120, seed=4))
    greynb.sync(mode="full")
    yield tmp_path
    close_all()
