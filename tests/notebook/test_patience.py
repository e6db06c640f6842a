"""Keys and front ends never hold a notebook up, whatever they meet."""

from __future__ import annotations

import time

from greynb.databases.staging import StagingSession
from greynb.notebook import inspecting, running

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"


class Deaf(StagingSession):
    """A session over an engine that cannot be stopped at once."""

    def interrupt(self) -> None:
        """Hear nothing."""


def test_a_view_whose_values_cannot_be_had_is_inspected_without_them(shell, tmp_path, monkeypatch) -> None:
    session = Deaf(tmp_path / "stage.db")
    session.run(f"CREATE VIEW endless AS {ENDLESS}")
    monkeypatch.setattr("greynb.connections.staging_session", lambda _route: session)
    monkeypatch.setattr(inspecting, "PATIENCE", 0.1)
    cell = "%%staging\nSELECT * FROM endless"
    try:
        assert "endless" in (inspecting.inspect(cell, len(cell) - 2, {}) or "")
    finally:
        StagingSession.interrupt(session)


def test_a_cell_goes_on_where_nobody_can_be_told_of_it(shell) -> None:
    heard = []

    def gone(_message: dict[str, object]) -> None:
        raise OSError("the front end is gone")

    running.listen(gone)
    running.listen(heard.append)
    try:
        with running.Task("analytics", lambda: None) as task:
            time.sleep(running.FIRST)
            task.tick()
        assert [each["event"] for each in heard] == ["running", "ended"]
    finally:
        running.forget(gone)
        running.forget(heard.append)


def test_inspecting_does_not_stop_a_cell_that_has_begun_meanwhile(shell, tmp_path, monkeypatch) -> None:
    session = StagingSession(tmp_path / "stage.db")
    session.run(f"CREATE VIEW endless AS {ENDLESS}")
    monkeypatch.setattr("greynb.connections.staging_session", lambda _route: session)
    monkeypatch.setattr(inspecting, "PATIENCE", 0.1)
    monkeypatch.setattr(inspecting, "_ENDING", 0.1)
    cell = "%%staging\nSELECT * FROM endless"
    try:
        with running.Task("staging", lambda: None):
            inspecting.inspect(cell, len(cell) - 2, {})
            assert session.outline() is None  # what was running still is
    finally:
        session.interrupt()
