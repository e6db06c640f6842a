"""Writers that commit all the time: publications end, and the writers hardly wait.

Stated: in WAL a writer is refused for no longer than 0.5 s (on a quiet machine it never is); in a rollback
mode for no longer than the copy takes, and 1 s.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from greynb.publish import sync
from tests.publish.processes import balance, make_books
from tests.publish.survival import programs

IN_WAL = 0.5
BESIDES_THE_COPY = 1.0


@pytest.mark.parametrize("mode", ["full", "incremental"])
@pytest.mark.parametrize("wal", [True, False])
def test_a_writer_every_five_milliseconds_neither_stops_a_publication_nor_is_stopped(
    tmp_path: Path, wal: bool, mode: Literal["full", "incremental"]
) -> None:
    stage = make_books(tmp_path / "stage.db", wal=wal, rows=6000)
    writer = programs.timed_writer(stage, tmp_path / "stop")
    copying = 0.0
    try:
        for _ in range(6):
            result = sync(stage, tmp_path / "analytics.db", mode=mode)
            assert balance(result.path) == 0
            copying = max(copying, result.seconds["copy"])
        assert writer.poll() is None
    finally:
        (tmp_path / "stop").touch()
        told, errors = writer.communicate(timeout=120)
    assert not errors
    commits, refused, longest, overslept = map(float, told.split())
    assert commits - refused > 10
    assert longest <= (IN_WAL if wal else copying + BESIDES_THE_COPY) + 3 * overslept
