"""An evaluation in a report is evaluated again, with the same arguments, and compared number by number."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pandas as pd
import pytest

import greynb
from greynb import connections
from greynb.demo import season, write_season
from greynb.report.verifying import State, verify_file


@pytest.fixture
def evaluated(tmp_path, monkeypatch):
    monkeypatch.setenv("STAGING_DB_PATH", str(tmp_path / "stage.db"))
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(tmp_path / "analytics.db"))
    write_season(tmp_path / "stage.db", season(150))
    greynb.sync()
    yield greynb.evaluate(by="month", resamples=50, since="2024-01-01")
    connections.close_all()


def test_every_frame_of_an_evaluation_holds_on_its_version(evaluated, tmp_path):
    frames = [evaluated.table, evaluated.groups, evaluated.bins, evaluated.counts]
    names = ["table", "groups by month", "bins", "counts"]
    for number, (frame, name) in enumerate(zip(frames, names, strict=True)):
        greynb.export(frame, tmp_path / f"{number}.html")
        (verdict,) = verify_file(tmp_path / f"{number}.html").verdicts
        assert verdict.state in (State.EXACT, State.CLOSE) and verdict.on == "gen-000001"
        assert verdict.name == f"evaluation, {name}"


def test_a_changed_prediction_changes_the_metrics_that_are_named(evaluated, tmp_path):
    greynb.export(evaluated.table, tmp_path / "x.html")
    with closing(sqlite3.connect(tmp_path / "stage.db")) as con, con:
        con.execute(
            "UPDATE predictions SET predicted_probability = predicted_probability * predicted_probability"
        )
    connections.close_all()
    for _ in range(2):
        greynb.sync("full", keep=0)
    found = verify_file(tmp_path / "x.html")
    (verdict,) = found.verdicts
    assert found.differs and "values differ" in verdict.found
    assert verdict.first is not None and verdict.first.row.startswith("metric=")


def test_predictions_that_were_a_frame_cannot_be_evaluated_again(evaluated, tmp_path):
    frame = greynb.get_conn().execute("SELECT * FROM predictions").df()
    assert isinstance(frame, pd.DataFrame)
    greynb.export(greynb.evaluate(frame, resamples=20).table, tmp_path / "x.html")
    found = verify_file(tmp_path / "x.html")
    assert not (found.holds or found.differs) and "DataFrame" in found.verdicts[0].found
