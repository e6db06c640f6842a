"""Cells that are answered from the result cache, and all those that must not be."""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from decimal import Decimal
from uuid import UUID

import pandas as pd
import pytest

import greynb
from greynb.connections import close_all
from tests.databases.kept import entries, written
from tests.notebook.shell import RACES, run, text

FROM_CACHE = "from cache (computed in "
# Slow enough to be kept, and the same whenever it runs.
SLOW = "SELECT count(*) AS n, max(r.venue) AS v FROM races r, range(12_000_000) x(i) WHERE hash(i) % 7 <> 1"


@pytest.fixture
def published(shell, tmp_path):
    """A published version of the races, in a shell with an empty result cache."""
    (tmp_path / "analytics.db").unlink()
    greynb.sync()
    yield shell
    close_all()


def cell(shell, sql: str, line: str = "df") -> dict[str, object]:
    """Run a cell, wait until its result is kept, and give where it came from."""
    run(shell, f"%%analytics {line}\n{sql}")
    written()
    return dict(shell.user_ns["df"].attrs["greynb"])


def twice(shell, sql: str, line: str = "df") -> bool:
    """Whether a cell is answered from the cache when it runs again."""
    cell(shell, sql, line)
    return "cache" in cell(shell, sql, line)


def test_a_cell_that_runs_again_is_answered_from_the_cache_and_its_footer_says_so(published):
    first = text(run(published, f"%%analytics\n{SLOW}"))
    written()
    second = text(run(published, f"%%analytics\n{SLOW}"))
    assert FROM_CACHE not in first and FROM_CACHE in second
    assert first.splitlines()[1:-1] == second.splitlines()[1:-1]
    assert "gen-000001" in second


def test_provenance_tells_the_time_of_the_run_and_of_the_computation(published):
    first = cell(published, SLOW)
    time.sleep(1)
    second = cell(published, SLOW)
    origin = second.pop("cache")
    assert origin["seconds"] == pytest.approx(first["seconds"]) and origin["time"][:16] == first["time"][:16]
    assert second["time"] > first["time"] and second["seconds"] < first["seconds"]
    for changing in ("time", "seconds"):
        del first[changing], second[changing]
    assert first == second


def test_the_frame_is_the_same_and_private_to_the_cell(published):
    cell(published, SLOW)
    first = published.user_ns["df"].copy(deep=True)
    for _ in range(2):
        assert "cache" in cell(published, SLOW)
        pd.testing.assert_frame_equal(published.user_ns["df"], first, check_exact=True)
        published.user_ns["df"].loc[0, "n"] = -1


def test_a_new_version_is_computed_anew_and_an_older_one_found_again(published, tmp_path):
    assert twice(published, SLOW)
    before = published.user_ns["df"]["n"][0]
    with closing(sqlite3.connect(tmp_path / "stage.db")) as con, con:
        con.execute("INSERT INTO races VALUES ('z1', 'ZED', '2025-07-09', 8)")
    greynb.sync()
    assert "cache" not in cell(published, SLOW)
    assert published.user_ns["df"]["n"][0] > before
    run(published, "%greynb pin 1")
    assert "cache" in cell(published, SLOW) and published.user_ns["df"]["n"][0] == before
    run(published, "%greynb unpin")


def test_two_files_with_versions_of_the_same_name_never_mix(published, tmp_path, monkeypatch):
    assert twice(published, SLOW)
    for name, rows in (("other", RACES), ("more", RACES + "INSERT INTO races SELECT 'x', 'ZZZ', NULL, 1;")):
        with closing(sqlite3.connect(tmp_path / f"{name}-stage.db")) as con:
            con.executescript(rows)
        monkeypatch.setenv("STAGING_DB_PATH", str(tmp_path / f"{name}-stage.db"))
        monkeypatch.setenv("ANALYTICS_DB_PATH", str(tmp_path / f"{name}.db"))
        greynb.sync()
        origin = cell(published, SLOW)
        assert origin["snapshot"] == "gen-000001" and "cache" not in origin
    assert published.user_ns["df"]["v"][0] == "ZZZ"


def test_a_file_made_again_under_the_same_path_is_another_version(published, tmp_path):
    assert twice(published, SLOW)
    close_all()
    shutil.rmtree(tmp_path / ".analytics")
    (tmp_path / "analytics.db").unlink()
    with closing(sqlite3.connect(tmp_path / "stage.db")) as con, con:
        con.execute("DELETE FROM races WHERE venue = 'TAR'")
    greynb.sync()
    origin = cell(published, SLOW)
    assert origin["snapshot"] == "gen-000001" and "cache" not in origin
    assert published.user_ns["df"]["v"][0] == "RICH"


def test_files_that_were_not_published_are_not_kept(shell, tmp_path):
    assert not twice(shell, SLOW)
    assert not entries(tmp_path / "results")


def test_a_published_file_that_something_wrote_to_is_not_answered_from_the_cache(published, tmp_path):
    assert twice(published, SLOW)
    file = (tmp_path / "analytics.db").resolve()
    file.chmod(0o644)
    with closing(sqlite3.connect(file)) as con, con:
        con.execute("DELETE FROM races WHERE venue = 'TAR'")
    assert "cache" not in cell(published, SLOW)
    assert published.user_ns["df"]["v"][0] == "RICH"


@pytest.mark.parametrize(
    "volatile",
    [
        *("now()", "today()", "current_date", "random()", "uuid()", "version()", "current_timestamp"),
        *("current_setting('threads')", "ago(INTERVAL 1 DAY)", "setseed(0.1)", "txid_current()"),
    ],
)
def test_volatile_functions_are_never_answered_from_the_cache(published, tmp_path, volatile):
    assert not twice(published, f"{SLOW} AND (SELECT count({volatile}) FROM races) > 0")
    assert not entries(tmp_path / "results")


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT * FROM ({SLOW}) USING SAMPLE 1",
        f"{SLOW} AND (SELECT count(*) FROM races TABLESAMPLE 50%) >= 0",
        SLOW.replace("races r", "(SELECT 'x' AS venue) r"),
        f"{SLOW} AND (SELECT count(*) FROM duckdb_settings()) > 0",
        f"EXPLAIN ANALYZE {SLOW}",
    ],
)
def test_samples_plans_and_what_reads_no_table_are_never_answered_from_the_cache(published, tmp_path, sql):
    assert not twice(published, sql)
    assert not entries(tmp_path / "results")


def test_frames_of_the_notebook_are_read_each_time(published):
    published.user_ns["picks"] = pd.DataFrame({"venue": ["RICH"]})
    sql = SLOW.replace("races r", "races JOIN picks r USING (venue)")
    assert not twice(published, sql)
    published.user_ns["picks"] = pd.DataFrame({"venue": ["TAR"]})
    cell(published, sql)
    assert published.user_ns["df"]["v"][0] == "TAR"


def test_a_temporary_table_or_view_that_hides_a_table_is_read_each_time(published):
    assert twice(published, SLOW)
    for kind in ("TABLE", "VIEW"):
        run(published, f"%%analytics\nCREATE TEMP {kind} races AS SELECT '{kind}' AS venue")
        assert not twice(published, SLOW)
        assert published.user_ns["df"]["v"][0] == kind
        run(published, f"%%analytics\nDROP {kind} races")
        assert "cache" in cell(published, SLOW) and published.user_ns["df"]["v"][0] == "TAR"


def test_macros_and_temporary_tables_are_read_each_time(published):
    run(published, "%%analytics\nCREATE TEMP MACRO twofold(x) AS 2 * x")
    run(published, "%%analytics\nCREATE TEMP TABLE mine AS FROM races")
    assert not twice(published, SLOW.replace("count(*)", "twofold(count(*))"))
    assert not twice(published, SLOW.replace("races r", "mine r"))


def test_views_of_the_file_are_read_each_time(published, tmp_path):
    with closing(sqlite3.connect(tmp_path / "stage.db")) as con:
        con.execute("CREATE VIEW lately AS SELECT *, datetime('now') AS seen FROM races")
    greynb.sync()
    assert not twice(published, SLOW.replace("races r", "lately r"))


VALUES = [
    *(1, 1.0, True, "1", Decimal("1"), Decimal("1.0"), b"1", None, -0.0, 0.0, float("nan"), 2),
    *([1], [1.0], [True], ["1"], [1, 2], [1, 2, None], ["1, 2"], [], [[]]),
    *(dt.date(2025, 7, 1), dt.datetime(2025, 7, 1), "2025-07-01", dt.time(1), dt.timedelta(1)),
    *(dt.datetime(2025, 7, 1, tzinfo=dt.UTC), UUID(int=1), str(UUID(int=1))),
]


def test_values_that_are_bound_are_told_apart_by_value_and_type(published):
    for value in VALUES:
        published.user_ns["value"] = value
        sql = f"{SLOW} AND typeof(:value) <> ''"
        if value == [[]]:
            with pytest.raises(greynb.ParameterError):
                cell(published, sql)
            continue
        assert "cache" not in cell(published, sql), value
        assert "cache" in cell(published, sql), value


def test_a_list_in_an_in_clause_is_part_of_the_question(published):
    sql = f"{SLOW} AND r.venue IN (:venues)"
    for venues in (["RICH"], ["RICH", "TAR"], ["TAR", "RICH"]):
        published.user_ns["venues"] = venues
        assert twice(published, sql)


def test_variables_that_a_cell_does_not_name_do_not_matter(published):
    cell(published, SLOW)
    published.user_ns["unrelated"] = object()
    assert "cache" in cell(published, SLOW)


def test_no_cache_runs_the_statements_and_keeps_nothing(published, tmp_path):
    assert not twice(published, SLOW, "df --no-cache") and not entries(tmp_path / "results")
    assert twice(published, SLOW)
    assert "cache" not in cell(published, SLOW, "--no-cache df")
    with pytest.raises(greynb.UsageError, match="no option --no-cache"):
        run(published, "%%staging --no-cache\nSELECT 1")


def test_a_limit_of_0_turns_the_cache_off(published, tmp_path):
    assert twice(published, SLOW)
    run(published, "%config Greynb.cache_mb = 0")
    assert not twice(published, SLOW)
    run(published, "%config Greynb.cache_mb = 1")
    assert "cache" in cell(published, SLOW)
    run(published, "%config Greynb.cache_mb = 256")


def test_quick_results_are_not_worth_keeping(published, tmp_path):
    assert not twice(published, "SELECT * FROM races") and not entries(tmp_path / "results")


def test_each_statement_of_a_cell_is_answered_by_itself(published):
    cell(published, SLOW)
    shown = text(run(published, f"%%analytics\n{SLOW};\nSELECT count(*) AS races FROM races"))
    assert shown.count(FROM_CACHE) == 1 and "races" in shown


def test_what_is_to_be_said_of_a_version_is_said_although_the_result_was_kept(published):
    sql = SLOW.replace("races r", "runs r").replace("max(r.venue)", "max(extraction_timestamp)")
    assert "read as VARCHAR" in text(run(published, f"%%analytics\n{sql}"))
    written()
    assert "note" not in text(run(published, f"%%analytics\n{sql}"))
    close_all()
    shown = text(run(published, f"%%analytics\n{sql}"))
    assert FROM_CACHE in shown and "read as VARCHAR" in shown


def test_a_frame_that_a_table_hides_is_mentioned_although_the_result_was_kept(published):
    cell(published, SLOW)
    published.user_ns["races"] = pd.DataFrame({"venue": ["x"]})
    shown = text(run(published, f"%%analytics\n{SLOW}"))
    assert FROM_CACHE in shown and "the notebook's DataFrame races was not used" in shown


def test_a_result_that_cannot_be_kept_is_told_in_the_next_cell(published, tmp_path):
    (tmp_path / "results").write_text("no folder")
    cell(published, SLOW)
    assert "could not be kept" in text(run(published, "%%analytics\nSELECT 1 AS a"))
    assert "could not be kept" not in text(run(published, "%%analytics\nSELECT 1 AS a"))


def test_an_incomplete_file_is_computed_and_kept_again(published, tmp_path):
    cell(published, SLOW)
    (path,) = entries(tmp_path / "results")
    path.write_bytes(path.read_bytes()[:50])
    assert "cache" not in cell(published, SLOW)
    assert "cache" in cell(published, SLOW)


OTHER_PROCESS = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "greynb")
shell.run_line_magic("config", f"Greynb.cache_folder = {sys.argv[1]!r}")
shell.run_cell("%%analytics df\\n" + sys.argv[2]).raise_error()
print("cache" in shell.user_ns["df"].attrs["greynb"], shell.user_ns["df"].to_numpy().tolist())
"""


@pytest.mark.parametrize("zone", ["UTC", "Australia/Melbourne"])
def test_another_process_finds_the_result_where_its_time_zone_is_the_same(
    published, tmp_path, monkeypatch, zone
):
    monkeypatch.setenv("TZ", "UTC")
    command = [sys.executable, "-c", OTHER_PROCESS, str(tmp_path / "results"), SLOW]
    answers = []
    for each in ("UTC", zone):
        monkeypatch.setenv("TZ", each)
        answers.append(
            subprocess.run(command, capture_output=True, text=True, check=True).stdout.split(" ", 1)
        )
    assert answers[0][1] == answers[1][1]
    assert [found for found, _ in answers] == ["False", str(zone == "UTC")]
