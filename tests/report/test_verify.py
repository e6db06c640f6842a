"""A report or an export tells whether its numbers still hold, and which do not."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import greynb
from greynb import connections
from greynb.report.verifying import State, verify_file
from tests.notebook.shell import run, text
from tests.report.season import change

BY_VENUE = "SELECT venue, count(*) AS races, avg(odds) AS odds FROM races GROUP BY venue ORDER BY venue"
FORMATS = ["html", "parquet", "csv", "json", "md", "tex", "xlsx"]


def only(path: Path):
    found = verify_file(path)
    (verdict,) = found.verdicts
    return found, verdict


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_export_holds_on_the_version_that_it_was_made_from(query, tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    greynb.export(query(BY_VENUE), path)
    found, verdict = only(path)
    assert found.holds and verdict.state is State.EXACT and verdict.on == "gen-000001"
    assert found.edited == () and "3 rows" in str(found)


def test_a_new_version_does_not_matter_as_long_as_the_old_one_is_kept(query, tmp_path):
    greynb.export(query(BY_VENUE), tmp_path / "x.html")
    change(tmp_path, "UPDATE races SET odds = odds * 2")
    found, verdict = only(tmp_path / "x.html")
    assert found.holds and verdict.on == "gen-000001" and not verdict.notes
    greynb.api.rollback(1)
    assert only(tmp_path / "x.html")[0].holds


def swept(folder: Path, script: str) -> None:
    """Change staging, and publish until the first version is gone."""
    change(folder, script, publish=False)
    connections.close_all()  # a version that somebody reads stays
    for _ in range(2):
        greynb.sync("full", keep=0)
    assert "gen-000001" not in [each.id for each in greynb.api.history()]


def test_a_version_that_is_gone_is_verified_on_the_current_one_which_is_said(query, tmp_path):
    greynb.export(query(BY_VENUE), tmp_path / "x.html")
    swept(tmp_path, "SELECT 1")
    found, verdict = only(tmp_path / "x.html")
    assert found.holds and verdict.on == greynb.api.history()[0].id
    assert any("gen-000001 is no longer kept" in note for note in verdict.notes)


def test_exactly_the_number_that_changed_is_named(query, tmp_path):
    greynb.export(query("SELECT race_id, venue, odds FROM races"), tmp_path / "x.parquet")
    swept(tmp_path, "UPDATE races SET odds = 99.5 WHERE race_id = 'r7'")
    found, verdict = only(tmp_path / "x.parquet")
    assert found.differs and verdict.state is State.DIFFERS
    assert verdict.found == "1 of 360 values differ"
    assert verdict.first is not None
    assert (verdict.first.row, verdict.first.column) == ("race_id=r7", "odds")
    assert float(verdict.first.then) == pytest.approx(1.1 + 7 * 0.7) and verdict.first.now == "99.5"
    assert any("data has changed" in note for note in verdict.notes)


def test_rows_that_came_and_went_are_counted_and_named(query, tmp_path):
    greynb.export(query("SELECT race_id, odds FROM races"), tmp_path / "x.csv")
    swept(
        tmp_path,
        "DELETE FROM races WHERE race_id = 'r5'; INSERT INTO races VALUES ('n1', 'X', NULL, 1)",
    )
    _, verdict = only(tmp_path / "x.csv")
    assert verdict.found == "1 of 120 rows gone, 1 row new"
    assert verdict.first is not None and verdict.first.row == "race_id=r5" and verdict.first.now == "gone"


def test_columns_that_changed_are_named(query, tmp_path):
    greynb.export(query("SELECT * FROM races"), tmp_path / "x.csv")
    swept(tmp_path, "ALTER TABLE races ADD COLUMN grade TEXT")
    _, verdict = only(tmp_path / "x.csv")
    assert verdict.state is State.DIFFERS and "grade now" in verdict.found


def test_a_large_result_is_compared_by_its_hashes(query, tmp_path):
    sql = "SELECT i, i * 0.5 AS half, venue FROM range(30000) r(i), races WHERE race_id = 'r1'"
    greynb.export(query(sql), tmp_path / "x.parquet")
    assert only(tmp_path / "x.parquet")[1].state is State.EXACT
    swept(tmp_path, "UPDATE races SET venue = 'QQQ' WHERE race_id = 'r1'")
    _, verdict = only(tmp_path / "x.parquet")
    assert verdict.state is State.DIFFERS and "the columns venue;" in verdict.found


def test_the_last_digits_of_a_large_result_are_compared_by_sums(query, tmp_path):
    sql = (
        "SELECT i, sqrt(i) AS root, i * 0.5 AS half, venue FROM range(30000) r(i), races WHERE race_id = 'r1'"
    )
    frame = query(sql)
    noise = 1 + np.random.default_rng(1).normal(0, 1e-15, len(frame))
    greynb.export(frame.assign(root=frame["root"] * noise), tmp_path / "x.parquet")
    found, verdict = only(tmp_path / "x.parquet")
    assert found.holds and verdict.state is State.CLOSE and "compared by sums" in verdict.found
    frame.loc[12_345, "root"] *= 1 + 1e-6
    greynb.export(frame, tmp_path / "y.parquet")
    _, verdict = only(tmp_path / "y.parquet")
    assert verdict.state is State.DIFFERS and "the columns root;" in verdict.found


def test_the_last_digits_of_floats_are_within_the_tolerance_and_said(query, tmp_path):
    frame = query(BY_VENUE)
    frame["odds"] *= 1 + 3e-10
    greynb.export(frame, tmp_path / "x.html")
    found, verdict = only(tmp_path / "x.html")
    assert found.holds and verdict.state is State.CLOSE and "3e-10" in verdict.found


def test_a_table_that_was_changed_after_its_query_is_told_from_changed_data(query, tmp_path):
    frame = query(BY_VENUE)
    frame.loc[frame["venue"] == "TAR", "races"] += 1
    greynb.export(frame, tmp_path / "x.html")
    _, verdict = only(tmp_path / "x.html")
    assert verdict.found == "1 of 9 values differ"
    assert verdict.first is not None and verdict.first.row == "venue=TAR"
    assert any("changed after its query" in note for note in verdict.notes)


def test_a_query_of_chance_is_told_from_an_edit(query, tmp_path):
    greynb.export(query("SELECT venue, random() AS r FROM races"), tmp_path / "x.html")
    _, verdict = only(tmp_path / "x.html")
    assert verdict.state is State.DIFFERS and any("not give the same" in note for note in verdict.notes)


def test_rows_that_were_filtered_hold_and_columns_that_were_added_cannot_be_verified(query, tmp_path):
    frame = query(BY_VENUE)
    greynb.export(frame[frame["races"] > 0].iloc[:2][["venue", "odds"]], tmp_path / "x.html")
    found, verdict = only(tmp_path / "x.html")
    assert found.holds and "2 rows are among the 3" in verdict.found
    assert any("other rows or columns" in note for note in verdict.notes)
    greynb.export(frame.assign(double=frame["odds"] * 2), tmp_path / "y.html")
    found, verdict = only(tmp_path / "y.html")
    assert not found.holds and not found.differs and "double" in verdict.found
    assert "6 of its 9 numbers are among those that the query gives" in verdict.notes


def test_parameters_come_back_with_their_types(query, tmp_path):
    sql = (
        "SELECT race_id FROM races WHERE race_date >= :since AND race_id IN (:ids) AND odds < :most"
        " AND (:none IS NULL) AND hex(:raw) = '00FF'"
    )
    values = {"since": dt.date(2025, 7, 10), "ids": [f"r{n}" for n in range(1000)], "most": 60.5}
    frame = query(sql, **values, none=None, raw=b"\x00\xff")
    assert 0 < len(frame) < 120
    greynb.export(frame, tmp_path / "x.html")
    assert only(tmp_path / "x.html")[0].holds


@pytest.mark.parametrize("count", [0, 3, 1001, 5000])
def test_lists_of_any_length_come_back(query, tmp_path, count):
    frame = query("SELECT race_id FROM races WHERE race_id IN :ids", ids=[f"r{n}" for n in range(count)])
    greynb.export(frame, tmp_path / "x.parquet")
    assert only(tmp_path / "x.parquet")[0].holds


def test_temporary_tables_are_made_again_on_the_versions_that_they_read(query, shell, tmp_path):
    shell.user_ns["venue"] = "TAR"
    run(shell, "%%analytics\nCREATE TEMP TABLE tar AS SELECT * FROM races WHERE venue = :venue")
    change(tmp_path, "UPDATE races SET odds = 1000")
    frame = query("SELECT (SELECT max(odds) FROM tar) AS old, (SELECT max(odds) FROM races) AS new")
    assert frame["old"][0] < 1000 == frame["new"][0]
    greynb.export(frame, tmp_path / "x.html")
    assert only(tmp_path / "x.html")[0].holds


@pytest.mark.parametrize("sql", [
    "SELECT venue FROM races; -- by venue",
    "SELECT venue FROM races -- by venue\n;",
    "-- all\nFROM races /* ; */;;",
    "WITH v AS (SELECT venue FROM races) SELECT * FROM v;",
    "SUMMARIZE races",
    "PIVOT races ON venue USING count(*)",
])  # fmt: skip
def test_a_statement_is_run_again_however_it_is_written(query, tmp_path, sql):
    greynb.export(query(sql), tmp_path / "x.html")
    assert only(tmp_path / "x.html")[0].holds


@pytest.mark.parametrize(
    "columns",
    ["race_id AS venue, venue", "1 AS x, 2 AS x, 3 AS x_1", 'odds AS x, 2 AS X, 3 AS "x_1", 4 AS x, :n AS x'],
)
def test_repeated_names_of_columns_are_no_difference(query, tmp_path, columns):
    sql = f"SELECT {columns} FROM races ORDER BY race_id -- twice"
    greynb.export(query(sql, n=5), tmp_path / "x.csv")
    assert only(tmp_path / "x.csv")[1].state is State.EXACT


def test_staging_is_read_as_it_is_now_which_is_said(query, tmp_path):
    greynb.export(query("SELECT count(*) AS n FROM races WHERE venue = :v", role="staging", v="TAR"),
                  tmp_path / "x.html")  # fmt: skip
    found, verdict = only(tmp_path / "x.html")
    assert found.holds and verdict.on == "staging as it is now"
    change(tmp_path, "DELETE FROM races WHERE race_id = 'r1'", publish=False)
    _, verdict = only(tmp_path / "x.html")
    assert verdict.found == "1 of 1 values differ"


def test_what_cannot_be_run_again_says_why_and_what_to_do(query, shell, tmp_path, monkeypatch):
    frame = query("SELECT * FROM mine", mine=pd.DataFrame({"a": [1]}))
    greynb.export(frame, tmp_path / "frame.html")
    greynb.export(query(BY_VENUE), tmp_path / "venue.html")
    greynb.export(pd.DataFrame({"a": [1]}), tmp_path / "unknown.html")
    assert "DataFrame of the notebook (mine)" in only(tmp_path / "frame.html")[1].found
    assert "no query known" in only(tmp_path / "unknown.html")[1].found
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(tmp_path / "other.db"))
    found, verdict = only(tmp_path / "venue.html")
    assert not found.holds and not found.differs and "made from analytics.db" in verdict.found
    assert any("ANALYTICS_DB_PATH" in note for note in verdict.notes)


def test_a_table_that_is_gone_is_an_error_of_that_query_alone(query, tmp_path):
    from greynb import Report

    report = Report("Two")
    report.table(query(BY_VENUE))
    report.table(query("SELECT 1 AS one"))
    report.save(tmp_path / "two.html")
    swept(tmp_path, "ALTER TABLE races RENAME TO old_races")
    found = verify_file(tmp_path / "two.html")
    assert [each.state for each in found.verdicts] == [State.UNKNOWN, State.EXACT]
    assert "races" in found.verdicts[0].found and not (found.holds or found.differs)


@pytest.mark.parametrize("suffix", ["html", "pdf", "xlsx", "md"])
def test_a_report_is_verified_query_by_query(query, tmp_path, suffix):
    from greynb import Report

    report = Report("Venues")
    report.table(query(BY_VENUE))
    report.table(query("SELECT count(*) AS n FROM races"))
    report.save(tmp_path / f"r.{suffix}")
    told = []
    found = verify_file(tmp_path / f"r.{suffix}", progress=lambda step, part: told.append((step, part)))
    assert found.holds and len(found.verdicts) == 2
    assert told[0] == (f"r.{suffix}: result 1 of 2", 0.0) and told[-1][1] == 1.0


def test_an_executed_notebook_is_verified(shell, tmp_path):
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    from greynb.report import execute_notebook

    cells = ["%load_ext greynb", f"%%analytics a\n{BY_VENUE}", "%%staging\nSELECT count(*) AS n FROM races"]
    nbformat.write(new_notebook(cells=[new_code_cell(each) for each in cells]), tmp_path / "n.ipynb")
    done = execute_notebook(tmp_path / "n.ipynb", cwd=tmp_path)
    nbformat.write(done, tmp_path / "done.ipynb")
    found = verify_file(tmp_path / "done.ipynb")
    assert found.holds and [each.on for each in found.verdicts] == ["gen-000001", "staging as it is now"]


def test_the_magic_verifies_a_file(query, shell, tmp_path):
    greynb.export(query(BY_VENUE), tmp_path / "x.html")
    assert "holds exactly" in text(run(shell, "%greynb verify x.html"))


def test_the_magic_verifies_several_files_also_beside_one_that_is_none(query, shell, tmp_path):
    greynb.export(query(BY_VENUE), tmp_path / "x.html", tmp_path / "x.csv")
    shown = text(run(shell, "%greynb verify x.html gone.html x.csv"))
    assert shown.count("holds exactly") == 2 and "gone.html" in shown
    with pytest.raises(greynb.UsageError, match="no such file"):
        run(shell, "%greynb verify nothing.html")


def test_the_result_is_plain_json(query, tmp_path):
    greynb.export(query(BY_VENUE), tmp_path / "x.html")
    told = json.loads(json.dumps(verify_file(tmp_path / "x.html").as_dict()))
    assert told["holds"] is True and told["results"][0]["state"] == "exact"


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_result_that_was_filtered_or_sorted_and_exported_is_verified(query, tmp_path, suffix):
    frame = query("SELECT race_id, odds FROM races")
    greynb.export(frame.sort_values("odds", ascending=False), tmp_path / f"sorted.{suffix}")
    assert verify_file(tmp_path / f"sorted.{suffix}").holds
    greynb.export(frame[frame.odds > 12], tmp_path / f"some.{suffix}")
    assert verify_file(tmp_path / f"some.{suffix}").holds
