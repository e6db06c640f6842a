"""Live and archived rows are one table in cells of analytics, in each version just the rows it had."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

import greynb
from greynb import connections
from greynb.archive import archive, restore
from greynb.connections import analytics_session
from greynb.errors import QueryError, UsageError
from greynb.routing import Settings
from tests.archive.files import ask, change, make_staging
from tests.archive.test_moving import BEFORE


@pytest.fixture
def staging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A staging file whose first version is published, and analytics beside it."""
    monkeypatch.setenv("STAGING_DB_PATH", str(tmp_path / "stage.db"))
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(tmp_path / "analytics.db"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    path = make_staging(tmp_path / "stage.db")
    greynb.sync()
    yield path
    connections.close_all()


def rows(sql: str, mode: str = "auto") -> list[tuple[object, ...]]:
    """What a cell of analytics gives."""
    session = analytics_session(Settings.current().route("analytics"))
    session.mirroring.mode = mode
    (result,) = session.run(sql)
    assert result.frame is not None
    found = result.frame.itertuples(index=False)
    return [tuple(None if pd.isna(each) else each for each in row) for row in found]


def moved(staging: Path) -> None:
    archive(staging, "odds_history", "timestamp", BEFORE, staging.parent / "old")


COUNTS = "SELECT count(*), sum(id), sum(odds_decimal), min(timestamp), max(timestamp) FROM {}"


@pytest.mark.parametrize("mode", ["auto", "never"])
def test_a_session_that_is_open_reads_all_rows_as_one_table_after_the_next_publication(staging, mode):
    before = rows(COUNTS.format("odds_history"), mode)
    moved(staging)
    greynb.sync()
    assert rows(COUNTS.format("odds_history_all"), mode) == before
    assert rows("SELECT count(*) FROM odds_history", mode)[0][0] < before[0][0]


@pytest.mark.parametrize("dated", [False, True], ids=["mixed dates", "only dates"])
def test_each_value_is_what_the_live_table_gave(staging, dated):
    if dated:
        change(staging, "DELETE FROM odds_history WHERE race_id IN ('none', 'number')")
        greynb.sync()
    everything = "SELECT * FROM {} ORDER BY id"
    before = rows(everything.format("odds_history"))
    types = rows("SELECT column_name, column_type FROM (DESCRIBE odds_history)")
    assert (("timestamp", "TIMESTAMP") in types) == dated and ("is_final", "BOOLEAN") in types
    moved(staging)
    greynb.sync()
    assert rows(everything.format("odds_history_all")) == before
    assert rows("SELECT column_name, column_type FROM (DESCRIBE odds_history_all)") == types


def test_a_version_from_before_the_archive_holds_no_row_twice(staging):
    before = rows(COUNTS.format("odds_history"))
    moved(staging)
    greynb.sync()
    route = Settings.current().route("analytics")
    connections.pin(route, "1")
    assert rows(COUNTS.format("odds_history")) == before
    with pytest.raises(QueryError):
        rows("SELECT * FROM odds_history_all")
    connections.unpin(route)
    assert rows(COUNTS.format("odds_history_all")) == before


def test_restored_rows_are_there_once(staging):
    before = rows(COUNTS.format("odds_history"))
    moved(staging)
    greynb.sync()
    restore(staging, staging.parent / "old")
    greynb.sync()
    assert rows(COUNTS.format("odds_history")) == before


def test_rows_can_be_filtered_joined_and_kept_in_a_temporary_table(staging):
    moved(staging)
    greynb.sync()
    session = analytics_session(Settings.current().route("analytics"))
    session.run("CREATE TEMP TABLE kept AS SELECT id FROM ODDS_history_ALL WHERE race_id IN ('r0', 'r4')")
    session.run("CREATE TEMP VIEW later AS SELECT a.id FROM odds_history_all a JOIN kept USING (id)")
    assert rows("SELECT id FROM later ORDER BY id") == [(1,), (5,)]


def test_the_tables_of_analytics_name_it_with_all_its_rows(staging):
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "greynb")
    before = shell.run_line_magic("greynb", "tables").set_index("table")
    moved(staging)
    greynb.sync()
    after = shell.run_line_magic("greynb", "tables").set_index("table")
    assert set(after.index) - set(before.index) == {"greynb_archive", "odds_history_all"}
    together, alone = after.loc["odds_history_all"], before.loc["odds_history"]
    assert (together["rows"], together["columns"]) == (alone["rows"], alone["columns"])
    assert together["kind"] == "with archive"
    with pytest.raises(UsageError, match="DESCRIBE odds_history_all"):
        shell.run_line_magic("greynb", "columns odds_history_all")


def test_a_connection_for_scripts_reads_them_too(staging):
    before = rows(COUNTS.format("odds_history"))
    moved(staging)
    greynb.sync()
    con = greynb.get_conn("analytics")
    assert con.execute("SELECT count(*) FROM odds_history_all").fetchone() == before[0][:1]
    con.close()


def test_the_engine_still_reaches_no_file_and_its_own_names_are_refused(staging):
    moved(staging)
    greynb.sync()
    rows("SELECT count(*) FROM odds_history_all")
    file = next((staging.parent / "old").glob("*.parquet"))
    for sql in (
        f"SELECT * FROM '{file}'",
        f"SELECT * FROM read_parquet('{file}')",
        "FROM __greynb_archive_1",
    ):
        with pytest.raises(greynb.GreynbError):
            rows(sql)


def test_a_file_whose_archiver_died_before_it_had_its_name_is_read_and_restored(staging):
    before = rows(COUNTS.format("odds_history"))
    moved(staging)
    greynb.sync()
    for file in (staging.parent / "old").glob("*.parquet"):
        file.rename(f"{file}.part")
    assert rows(COUNTS.format("odds_history_all")) == before
    assert sum(restore(staging, staging.parent / "old").rows.values()) > 20


def test_a_missing_file_stops_the_view_and_says_which(staging):
    moved(staging)
    greynb.sync()
    file = sorted((staging.parent / "old").glob("*.parquet"))[0]
    file.unlink()
    with pytest.raises(QueryError, match=f"there is no file .*{file.name}"):
        rows("SELECT id FROM odds_history_all")
    assert rows("SELECT count(*) FROM odds_history")[0][0] > 0


def test_a_file_that_is_not_published_by_greynb_has_the_view_as_well(staging, tmp_path, monkeypatch):
    before = rows(COUNTS.format("odds_history"))
    moved(staging)
    with closing(sqlite3.connect(staging)) as con:
        con.execute("VACUUM INTO ?", (str(tmp_path / "copied.db"),))
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(tmp_path / "copied.db"))
    assert rows(COUNTS.format("odds_history_all")) == before


def test_columns_that_a_publication_leaves_out_stay_out(staging):
    moved(staging)
    config = staging.parent / "greynb.toml"
    config.write_text('[columns]\ndrop = ["odds_history.race_id"]\n', encoding="utf-8")
    greynb.sync(mode="etl")
    assert rows("SELECT count(*) FROM odds_history_all") == [(62,)]
    assert "race_id" not in [name for name, *_ in rows("DESCRIBE odds_history_all")]


def test_a_table_of_that_name_in_the_file_stays_what_it_is(staging):
    change(staging, "CREATE TABLE odds_history_all AS SELECT 1 AS mine")
    moved(staging)
    greynb.sync()
    assert rows("SELECT * FROM odds_history_all") == [(1,)]


def test_a_table_of_somebody_elses_that_is_called_like_the_journal_does_no_harm(staging):
    change(staging, "CREATE TABLE greynb_archive AS SELECT 1 AS x", "CREATE TABLE for_all AS SELECT 2 AS y")
    greynb.sync()
    assert rows("SELECT y, x FROM for_all, greynb_archive") == [(2, 1)]


def test_a_second_archive_adds_to_the_first(staging, tmp_path):
    before = rows(COUNTS.format("odds_history"))
    moved(staging)
    change(staging, "UPDATE odds_history SET odds_change = 5, is_final = 1")
    ((sum_of_ids,),) = ask(staging, "SELECT sum(id) FROM odds_history")
    archive(staging, "odds_history", "timestamp", BEFORE.replace(year=2025), tmp_path / "elsewhere")
    greynb.sync()
    assert rows(COUNTS.format("odds_history_all")) == before
    assert sum_of_ids > rows("SELECT sum(id) FROM odds_history")[0][0]
