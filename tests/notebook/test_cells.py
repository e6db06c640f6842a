"""What an analyst sees when running SQL cells."""

from __future__ import annotations

import signal
import sqlite3

import numpy as np
import pandas as pd
import pytest

import greynb
from greynb.errors import MissingDatabase, QueryInterrupted
from tests.notebook.shell import run, text


def sql(shell, query, line=""):
    return shell.run_cell_magic("analytics", line, query)


def test_a_result_is_shown_with_its_types_its_total_and_where_it_came_from(shell):
    shown = text(
        run(shell, "%%analytics\nSELECT venue, count(*) AS n FROM races GROUP BY venue ORDER BY venue")
    )
    assert "RICH" in shown and "BIGINT" in shown and "2 rows" in shown
    assert "analytics" in shown and "analytics.db" in shown


def test_only_the_first_rows_are_shown_and_the_true_total_is_stated(shell):
    shown = text(run(shell, "%%analytics -n 3\nSELECT * FROM range(1000) t(i)"))
    assert "3 of 1,000 rows" in shown
    assert [line.strip() for line in shown.splitlines() if line.strip().isdigit()] == ["0", "1", "2"]


@pytest.mark.parametrize("line", ["df", "df <<", "-o df"])
def test_assigning_gives_a_dataframe_and_shows_nothing(shell, line):
    captured = run(shell, f"%%analytics {line}\nSELECT 1 AS a")
    assert text(captured) == "" and captured.result is None
    pd.testing.assert_frame_equal(shell.user_ns["df"], pd.DataFrame({"a": [1]}), check_dtype=False)


@pytest.mark.parametrize("line", ["df --show", "df= <<", "--show -o df"])
def test_a_result_can_be_assigned_and_shown_at_once(shell, line):
    shown = text(run(shell, f"%%analytics {line}\nSELECT 41 + 1 AS answer"))
    assert "42" in shown and shell.user_ns["df"]["answer"][0] == 42


def test_underscore_is_the_last_result_as_a_dataframe(shell):
    run(shell, "%%analytics\nSELECT 7 AS n")
    assert run(shell, "_['n'][0]").result == 7


def test_the_line_form_gives_its_dataframe_to_an_assignment_or_shows_it(shell):
    assert text(run(shell, "df = %analytics SELECT count(*) AS n FROM races")) == ""
    assert shell.user_ns["df"]["n"][0] == 4
    assert "1 row" in text(run(shell, "%analytics SELECT count(*) AS n FROM races;"))


def test_a_result_carries_its_provenance(shell):
    shell.user_ns["venue"] = "TAR"
    run(shell, "%%analytics df\nSELECT * FROM races WHERE venue = :venue")
    origin = shell.user_ns["df"].attrs["greynb"]
    assert origin["sql"] == "SELECT * FROM races WHERE venue = :venue"
    assert origin["parameters"] == {"venue": "TAR"} and origin["rows"] == 2
    assert origin["role"] == "analytics" and origin["file"].endswith("analytics.db") and origin["snapshot"]


def test_sums_of_integers_stay_integers_and_dates_are_dates(shell):
    df = sql(shell, "SELECT sum(runners) AS runners, min(race_date) AS day FROM races")
    assert df["runners"][0] == 23 and pd.api.types.is_integer_dtype(df["runners"])
    assert df["day"][0] == pd.Timestamp("2025-07-01")


def test_a_column_that_sqlite_types_loosely_is_read_and_the_user_is_told(shell):
    shown = text(run(shell, "%%analytics\nSELECT * FROM runs"))
    assert "2025-07-01T10:00:00" in shown
    assert "extraction_timestamp" in shown.splitlines()[-1] or "read as" in shown
    report = run(shell, "%greynb columns runs").result
    assert "NUM" in report.to_string() and "VARCHAR" in report.to_string()


@pytest.mark.parametrize("marker", [":ids", "$ids"])
@pytest.mark.parametrize("ids", [["a1", "b1"], ("a1", "b1"), pd.Series(["a1", "b1"]), np.array(["a1", "b1"])])
def test_lists_and_series_are_bound_in_an_in_clause(shell, ids, marker):
    shell.user_ns["ids"] = ids
    assert len(sql(shell, f"SELECT * FROM races WHERE race_id IN ({marker})")) == 2
    staged = shell.run_cell_magic("staging", "", f"SELECT * FROM races WHERE race_id IN ({marker})")
    assert len(staged) == 2


def test_numpy_scalars_match_on_both_engines(shell):
    shell.user_ns["n"] = np.int64(7)
    query = "SELECT race_id FROM races WHERE runners = :n"
    assert list(sql(shell, query)["race_id"]) == ["a2"]
    assert list(shell.run_cell_magic("staging", "", query)["race_id"]) == ["a2"]


class _Stopping:
    """A value that is interrupted at when greynb looks at it."""

    @property
    def __class__(self):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("magic", ["analytics", "staging"])
def test_an_interrupt_before_a_query_began_is_told_as_one_of_a_query_is(shell, magic):
    shell.user_ns["slow"] = _Stopping()
    with pytest.raises(QueryInterrupted, match=f"{magic}: interrupted before anything was run"):
        run(shell, f"%%{magic}\nSELECT :slow")
    run(shell, f"%%{magic}\nSELECT 1")


def test_an_undefined_name_is_an_error_that_names_the_nearest_variable(shell):
    shell.user_ns["venue_code"] = "TAR"
    with pytest.raises(greynb.ParameterError, match="venue_code"):
        sql(shell, "SELECT * FROM races WHERE venue = :venue_cod")


def test_dataframes_of_the_notebook_join_analytics_tables_by_name(shell):
    shell.user_ns["picks"] = pd.DataFrame({"race_id": ["a1", "b2"], "pick": ["x", "y"]})
    df = sql(shell, "SELECT r.venue, p.pick FROM races r JOIN picks p USING (race_id) ORDER BY 2")
    assert df.to_numpy().tolist() == [["RICH", "x"], ["TAR", "y"]]


def test_polars_and_arrow_frames_can_be_queried_too(shell):
    polars, pyarrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    shell.user_ns["p"] = polars.DataFrame({"a": [1, 2]})
    shell.user_ns["l"] = polars.LazyFrame({"a": [1, 2]})
    shell.user_ns["t"] = pyarrow.table({"a": [3]})
    df = sql(shell, "SELECT sum(a) AS n FROM (FROM p UNION ALL FROM t UNION ALL FROM l)")
    assert df["n"][0] == 9


def test_an_analytics_table_wins_over_a_variable_and_says_so(shell):
    shell.user_ns["races"] = pd.DataFrame({"x": [1]})
    shown = text(run(shell, "%%analytics\nSELECT count(*) AS n FROM races"))
    assert "4" in shown and "the notebook's DataFrame races was not used" in shown


def test_a_frame_is_reachable_only_while_a_cell_names_it(shell):
    shell.user_ns["mine"] = pd.DataFrame({"x": [1]})
    sql(shell, "FROM mine")
    del shell.user_ns["mine"]
    with pytest.raises(greynb.QueryError, match="mine"):
        sql(shell, "FROM mine")


def test_temporary_tables_live_from_cell_to_cell_and_beyond_a_publication(shell):
    sql(shell, "CREATE TEMP TABLE best AS SELECT venue, max(runners) AS most FROM races GROUP BY venue")
    greynb.sync(mode="full")
    df = sql(shell, "SELECT b.most FROM best b JOIN races r USING (venue) WHERE r.race_id = 'a2'")
    assert df["most"][0] == 8


def test_each_of_several_results_is_shown(shell):
    shown = text(run(shell, "%%analytics\nSELECT 11 AS a;\nSELECT 22 AS b;"))
    assert "11" in shown and "22" in shown


def test_with_a_name_the_last_result_is_assigned_and_the_others_are_shown(shell):
    shown = text(run(shell, "%%analytics df\nSELECT 'first' AS a;\nSELECT 'second' AS b"))
    assert "first" in shown and "second" not in shown
    assert shell.user_ns["df"]["b"][0] == "second"


@pytest.mark.parametrize("body", ["  \n", "-- nothing here", "/* nor here */\n;", ";;"])
@pytest.mark.parametrize("magic", ["analytics", "staging"])
def test_empty_and_comment_only_cells_do_nothing(shell, magic, body):
    captured = run(shell, f"%%{magic}\n{body}")
    assert captured.result is None


def test_windows_newlines_and_trailing_semicolons_are_fine(shell):
    assert sql(shell, "SELECT 1 AS a,\r\n 2 AS b;\r\n;\r\n")["b"][0] == 2


def test_a_magic_inside_a_function_sees_the_function_s_variables(shell):
    code = """
def count(venue):
    query = "SELECT count(*) AS n FROM races WHERE venue = :venue"
    return get_ipython().run_cell_magic("analytics", "", query)
[count(v)["n"][0] for v in ("RICH", "TAR", "none")]
"""
    captured = run(shell, code)
    assert captured.result == [2, 2, 0]


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM races", "DROP TABLE races", "CREATE TABLE t(a int)", "ATTACH 'x.db' (TYPE sqlite)"],
)
def test_analytics_refuses_to_write_and_points_to_staging(shell, tmp_path, statement):
    before = (tmp_path / "analytics.db").read_bytes()
    with pytest.raises(greynb.WriteRefused):
        sql(shell, statement)
    assert (tmp_path / "analytics.db").read_bytes() == before


def test_one_refused_statement_keeps_the_whole_cell_from_running(shell):
    with pytest.raises(greynb.WriteRefused):
        sql(shell, "CREATE TEMP TABLE t AS SELECT 1; DROP TABLE races")
    with pytest.raises(greynb.QueryError):
        sql(shell, "FROM t")


def test_a_mistyped_column_is_answered_with_the_line_the_nearest_name_and_the_file(shell):
    with pytest.raises(greynb.QueryError) as caught:
        run(shell, "%%analytics\nSELECT race_id,\n       venu\nFROM races")
    message = str(caught.value)
    assert "venue" in message and "line 3" in message.lower() and "^" in message
    assert "ANALYTICS_DB_PATH" in message and "analytics.db" in message


def test_a_missing_analytics_file_names_the_variable_and_offers_a_sync(shell, tmp_path, monkeypatch):
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(tmp_path / "nowhere.db"))
    with pytest.raises(greynb.MissingDatabase) as caught:
        sql(shell, "SELECT 1")
    assert "ANALYTICS_DB_PATH" in str(caught.value) and "greynb sync" in str(caught.value)
    assert not (tmp_path / "nowhere.db").exists()


def test_changing_a_variable_takes_effect_in_the_next_cell(shell, tmp_path):
    assert sql(shell, "SELECT count(*) AS n FROM races")["n"][0] == 4
    other = sqlite3.connect(tmp_path / "other.db")
    other.executescript("CREATE TABLE races (race_id TEXT); INSERT INTO races VALUES ('z9')")
    other.close()
    run(shell, f"%env ANALYTICS_DB_PATH={tmp_path / 'other.db'}")
    assert sql(shell, "SELECT count(*) AS n FROM races")["n"][0] == 1


def test_a_cell_reads_the_newest_version_after_a_publication(shell):
    shell.run_cell_magic("staging", "", "INSERT INTO races VALUES ('c1', 'SAN', '2025-07-04', 6)")
    assert sql(shell, "SELECT count(*) AS n FROM races")["n"][0] == 4
    greynb.sync(mode="full")
    df = sql(shell, "SELECT count(*) AS n FROM races")
    assert df["n"][0] == 5 and df.attrs["greynb"]["snapshot"] == "gen-000002"


def test_single_mode_shows_a_commit_in_the_next_cell(shell, tmp_path, monkeypatch):
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(tmp_path / "stage.db"))
    assert sql(shell, "SELECT count(*) AS n FROM races")["n"][0] == 4
    shell.run_cell_magic("staging", "", "DELETE FROM races WHERE venue = 'TAR'")
    assert sql(shell, "SELECT count(*) AS n FROM races")["n"][0] == 2


def test_a_staging_cell_writes_all_or_nothing(shell, tmp_path):
    with pytest.raises(greynb.QueryError) as caught:
        run(shell, "%%staging\nDELETE FROM races;\nINSERT INTO races VALUES (1, 2)")
    assert "statement 2" in str(caught.value).lower() and "line 3" in str(caught.value).lower()
    with sqlite3.connect(tmp_path / "stage.db") as con:
        assert con.execute("SELECT count(*) FROM races").fetchone()[0] == 4


def test_a_dry_run_does_everything_and_takes_it_back(shell, tmp_path):
    shown = text(
        run(shell, "%%staging --dry-run\nDELETE FROM races;\nSELECT count(*) AS left_over FROM races")
    )
    assert "4 rows" in shown and "rolled back" in shown
    with sqlite3.connect(tmp_path / "stage.db") as con:
        assert con.execute("SELECT count(*) FROM races").fetchone()[0] == 4


def test_a_staging_cell_gives_the_rows_of_its_last_returning(shell):
    df = shell.run_cell_magic(
        "staging", "", "UPDATE races SET runners = 9 WHERE venue = 'TAR' RETURNING race_id, runners"
    )
    assert sorted(df["race_id"]) == ["b1", "b2"] and set(df["runners"]) == {9}


def test_a_new_staging_file_is_created_only_where_its_folder_exists_and_the_cell_says_so(
    shell, tmp_path, monkeypatch
):
    monkeypatch.setenv("STAGING_DB_PATH", str(tmp_path / "new.db"))
    shown = text(run(shell, "%%staging\nCREATE TABLE t (a INTEGER)"))
    assert "new.db" in shown and "created" in shown and (tmp_path / "new.db").exists()
    monkeypatch.setenv("STAGING_DB_PATH", str(tmp_path / "no" / "new.db"))
    with pytest.raises(greynb.MissingDatabase, match="folder"):
        run(shell, "%%staging\nSELECT 1")


def test_a_dataframe_loads_into_a_staging_table_by_one_line(shell, tmp_path):
    shell.user_ns["more"] = pd.DataFrame({"race_id": ["a1", "d1"], "venue": ["GEE", "GEE"]})
    shown = text(run(shell, "%staging load more --into races --key race_id --on-conflict update"))
    assert "1 inserted" in shown and "1 updated" in shown
    with sqlite3.connect(tmp_path / "stage.db") as con:
        assert con.execute("SELECT venue FROM races WHERE race_id = 'a1'").fetchone()[0] == "GEE"


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_an_external_writer_can_write_right_after_each_cell(shell, tmp_path, mode):
    for name in ("stage.db", "analytics.db"):
        con = sqlite3.connect(tmp_path / name)
        con.execute(f"PRAGMA journal_mode = {mode}")
        con.close()
    for magic in ("analytics", "staging"):
        shell.run_cell_magic(magic, "", "SELECT * FROM races")
        for name in ("stage.db", "analytics.db"):
            con = sqlite3.connect(tmp_path / name, timeout=0)
            con.execute("UPDATE races SET runners = coalesce(runners, 0) + 1")
            con.commit()
            con.close()


def test_an_error_is_one_short_block_without_a_python_traceback(shell):
    captured = shell.run_cell("%%analytics\nSELECT * FROM race")
    shown = shell.InteractiveTB.stb2text(captured.error_in_exec._render_traceback_())
    assert "Traceback" not in shown and ".py" not in shown and len(shown.splitlines()) <= 8
    assert "races" in shown
    run(shell, "%config Greynb.traceback = True")
    assert not hasattr(captured.error_in_exec, "_render_traceback_")


def test_the_number_of_rows_shown_is_configurable(shell):
    run(shell, "%config Greynb.rows = 2")
    assert "2 of 50 rows" in text(run(shell, "%analytics SELECT * FROM range(50) t(i)"))


def test_status_tables_columns_and_help_answer(shell):
    assert "ANALYTICS_DB_PATH" in text(run(shell, "%greynb status"))
    assert {"races", "runs"} <= set(run(shell, "%greynb tables").result["table"])
    assert list(run(shell, "%greynb columns races").result["column"]) == [
        "race_id", "venue", "race_date", "runners",
    ]  # fmt: skip
    assert "%%staging" in text(run(shell, "%greynb help"))
    with pytest.raises(greynb.UsageError, match="tables"):
        run(shell, "%greynb tabels")
    with pytest.raises(greynb.GreynbError, match="races"):
        run(shell, "%greynb columns race")


def test_unloading_puts_back_what_was_there_and_loading_again_works(shell):
    def mine(line, cell):
        return "mine"

    shell.run_line_magic("unload_ext", "greynb")
    assert "analytics" not in shell.magics_manager.magics["cell"]
    shell.register_magic_function(mine, "cell", "analytics")
    shell.run_line_magic("load_ext", "greynb")
    assert sql(shell, "SELECT 1 AS a")["a"][0] == 1
    shell.run_line_magic("unload_ext", "greynb")
    assert sql(shell, "SELECT 1") == "mine"
    shell.magics_manager.magics["cell"].pop("analytics")
    shell.run_line_magic("load_ext", "greynb")
    shell.run_line_magic("reload_ext", "greynb")
    assert sql(shell, "SELECT 1 AS a")["a"][0] == 1


def test_queries_can_run_on_the_notebook_s_own_thread(shell):
    run(shell, "%config Greynb.interrupt = False")
    assert sql(shell, "SELECT 1 AS a")["a"][0] == 1
    assert len(shell.run_cell_magic("staging", "", "SELECT * FROM races")) == 4
    with pytest.raises(greynb.QueryError, match="did you mean venue"):
        sql(shell, "SELECT venu FROM races")


def test_a_mistyped_path_makes_no_file_and_the_variable_is_named(shell, tmp_path, monkeypatch):
    monkeypatch.setenv("STAGING_DB_PATH", str(tmp_path / "typo.db"))
    shell.user_ns["more"] = pd.DataFrame({"n": [1]})
    for cell in ("%%staging\nSELECT * FROM races", "%staging load more --into races"):
        with pytest.raises(MissingDatabase, match=r"chosen by STAGING_DB_PATH") as caught:
            run(shell, cell)
        assert (
            "made by CREATE TABLE in %%staging" in str(caught.value) and not (tmp_path / "typo.db").exists()
        )
    assert "was created" in text(run(shell, "%%staging\nCREATE TABLE first (n)"))
