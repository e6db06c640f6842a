"""kill -9 of the publisher at any instant: the old or the new version, whole, and nothing left for ever."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from tests.publish.survival.storm import storm


@pytest.mark.slow
def test_publishers_killed_at_random_instants_tear_and_lose_nothing(tmp_path: Path) -> None:
    storm(tmp_path, kills=6, mode="incremental", layout="generations")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "layout", "wal", "kills"),
    [
        ("incremental", "generations", True, 30),
        ("full", "generations", False, 15),
        ("incremental", "plain", True, 15),
    ],
)
def test_many_killed_publishers_tear_and_lose_nothing(
    tmp_path: Path,
    mode: Literal["full", "incremental"],
    layout: Literal["generations", "plain"],
    wal: bool,
    kills: int,
) -> None:
    survived = storm(tmp_path, kills=kills, mode=mode, layout=layout, wal=wal, seed=kills)
    assert survived.unfinished > kills // 10
    assert survived.published > kills // 10
