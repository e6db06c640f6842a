"""A result carries all that is needed to make it again."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from greynb.databases.typedjson import decode
from tests.notebook.shell import run


def origin(shell, sql, line="df", magic="analytics"):
    run(shell, f"%%{magic} {line}\n{sql}")
    return shell.user_ns["df"].attrs["greynb"]


def setup(shell, sql):
    return [each["sql"].strip() for each in json.loads(origin(shell, sql).get("setup", "[]"))]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (None, None),
        (True, True),
        (np.int64(5), 5),
        (2**80, 2**80),
        ("x", "x"),
        (float("inf"), {"float": "inf"}),
        (b"\x00\xff", {"bytes": "00ff"}),
        (dt.date(2025, 7, 1), {"date": "2025-07-01"}),
        (pd.Timestamp("2025-07-01 10:30"), {"timestamp": "2025-07-01T10:30:00"}),
        (pd.Timestamp("2025-07-01", tz="Australia/Melbourne"), {"timestamp": "2025-07-01T00:00:00+10:00"}),
        (dt.time(10, 30), {"time": "10:30:00"}),
        (dt.timedelta(seconds=1.5), {"interval": 1_500_000}),
        (Decimal("1.50"), {"decimal": "1.50"}),
    ],
)
def test_a_parameter_keeps_its_type(shell, value, kept):
    shell.user_ns["v"] = value
    assert origin(shell, "SELECT :v AS v")["parameters"] == {"v": kept}
    assert type(decode(kept)) is type(decode(json.loads(json.dumps(kept))))


@pytest.mark.parametrize("count", [0, 2, 1000, 5000])
def test_a_list_is_kept_whole_as_one_text(shell, count):
    shell.user_ns["days"] = [dt.date(2025, 7, 1) + dt.timedelta(n) for n in range(count)]
    kept = origin(shell, "SELECT * FROM races WHERE race_date IN (:days)")["parameters"]["days"]
    assert isinstance(kept["list"], str) and decode(kept) == shell.user_ns["days"]


def test_each_statement_of_a_cell_keeps_its_own_text_and_parameters(shell):
    shell.user_ns.update(ids=["a1", "b1"], venue="TAR", box=1)
    kept = origin(shell, "SELECT * FROM runs WHERE box = :box;\nSELECT * FROM races WHERE race_id IN (:ids)")
    assert kept["sql"] == "SELECT * FROM races WHERE race_id IN (:ids)"
    assert list(kept["parameters"]) == ["ids"]
    kept = origin(shell, "SELECT :venue; SELECT race_id FROM races WHERE venue = $venue", magic="staging")
    assert kept["sql"] == "SELECT race_id FROM races WHERE venue = $venue" and kept["parameters"] == {
        "venue": "TAR"
    }


def test_an_ordinary_query_has_no_setup(shell):
    assert "setup" not in origin(shell, "SELECT 1") and "frames" not in origin(shell, "SELECT 1")
    run(shell, "%%analytics\nCREATE TEMP TABLE t AS SELECT 1 AS a")
    assert "setup" not in origin(shell, "SELECT * FROM races")


def test_temporary_tables_are_kept_with_their_statements_parameters_and_what_they_read(shell):
    shell.user_ns["venue"] = "TAR"
    run(shell, "%%analytics\nCREATE TEMP TABLE tar AS SELECT * FROM races WHERE venue = :venue")
    run(shell, "%%analytics\nCREATE TEMP VIEW days AS SELECT race_date FROM tar")
    run(shell, "%%analytics\nCREATE TEMP TABLE other AS SELECT 1 AS a")
    kept = json.loads(origin(shell, "SELECT count(*) FROM Days")["setup"])
    assert ['"tar"' in kept[0]["sql"], '"days"' in kept[1]["sql"], len(kept)] == [True, True, 2]
    assert kept[0]["parameters"] == {"venue": "TAR"} and kept[0]["version"]


def test_only_the_definitions_in_force_are_kept(shell):
    create = "%%analytics\nCREATE OR REPLACE TEMP TABLE t AS SELECT"
    for text in ("1 AS a", "2 AS a", "a + 1 AS a FROM t", "a * 2 AS a FROM t"):
        run(shell, f"{create} {text}")
    run(shell, "%%analytics\nCREATE TEMP TABLE IF NOT EXISTS t AS SELECT 99 AS a")
    found = setup(shell, "FROM t")
    assert [each.partition(" AS SELECT ")[2] for each in found] == ["2 AS a", "a + 1 AS a FROM t",
                                                                    "a * 2 AS a FROM t"]  # fmt: skip
    assert shell.user_ns["df"]["a"][0] == 6


def test_a_view_reads_the_table_that_is_there_when_it_is_used(shell):
    for number in (1, 2):
        run(shell, f"%%analytics\nCREATE OR REPLACE TEMP TABLE t AS SELECT {number} AS a")
        if number == 1:
            run(shell, "%%analytics\nCREATE TEMP VIEW v AS FROM t")
    found = setup(shell, "FROM v")
    assert "SELECT 2" in found[-1] and any('VIEW "v"' in each for each in found)
    assert any("SELECT 1" in each for each in found[:-1])  # else the view could not be made


def test_a_table_that_was_dropped_does_not_hide_the_file_s_own_again(shell):
    run(shell, "%%analytics\nCREATE TEMP TABLE races AS SELECT 1 AS a;\nCREATE TEMP TABLE b AS FROM races")
    run(shell, "%%analytics\nDROP TABLE races")
    assert setup(shell, "FROM races") == []
    found = setup(shell, "SELECT count(*) FROM races, b")
    assert len(found) == 3 and found[-1].startswith("DROP TABLE IF EXISTS")


def test_macros_are_kept_where_they_are_used(shell):
    run(
        shell,
        "%%analytics\nCREATE TEMP MACRO half(x) AS x / 2;\nCREATE TEMP MACRO fourth(x) AS half(half(x))",
    )
    assert len(setup(shell, "SELECT Fourth(8) AS a")) == 2
    assert setup(shell, "SELECT 8 AS fourthly") == []


def test_frames_of_the_notebook_are_named(shell):
    shell.user_ns["mine"] = pd.DataFrame({"a": [1]})
    assert json.loads(origin(shell, "FROM mine")["frames"]) == ["mine"]
    run(shell, "%%analytics\nCREATE TEMP TABLE kept AS FROM mine")
    assert json.loads(origin(shell, "FROM kept")["frames"]) == ["mine"]


def test_a_result_knows_its_columns(shell):
    assert json.loads(origin(shell, "SELECT 1 AS a, 2 AS a")["columns"]) == ["a", "a_1"]
