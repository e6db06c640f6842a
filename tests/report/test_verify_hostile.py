"""A file that wants to do harm when it is verified: nothing of it runs but a bounded SELECT."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

import greynb
from greynb.report.recording import described
from greynb.report.seal import seal
from greynb.report.verifying import State, verify_file
from tests.databases.attack_list import STATEMENTS


def page(path: Path, **changed: object) -> Path:
    """A page with one record, made to measure."""
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["greynb"] = {
        **{"sql": "SELECT 1 AS a", "role": "analytics", "file": "analytics.db"},
        **{"snapshot": "gen-000001", "rows": 1, "time": "2999-01-01T00:00:00+00:00"},
    }
    path.write_text(seal(script(json.dumps({**described(frame).as_dict(), **changed}))))
    return path


def script(record: str) -> str:
    inside = record.replace("</", "<\\/")
    return f'<script type="application/json" class="greynb-source">{inside}</script>'


def fingerprints(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in (".db", ".duckdb", ".txt", ".csv", ".parquet", ".json")
    }


def refused(path: Path) -> str:
    (verdict,) = verify_file(path).verdicts
    assert verdict.state is State.UNKNOWN
    return verdict.found


def test_the_page_that_is_made_to_measure_holds(shell, tmp_path):
    assert verify_file(page(tmp_path / "x.html")).holds


def test_no_attack_on_analytics_runs_or_leaves_anything(shell, tmp_path):
    names = {"staging": "stage.db", "analytics": "analytics.db", "csv": "a.csv", "new": "new.db"}
    places = {name: str(tmp_path / file) for name, file in names.items()} | {"folder": str(tmp_path)}
    attacks = [
        re.sub(r"\{(\w+)\}", lambda found: places.get(found[1], found[0]), each) for each in STATEMENTS
    ]
    attacks = attacks[::4]  # the gate is tested on all of them: here it is that it is asked
    assert len(attacks) > 30
    (tmp_path / "a.csv").write_text("a\n1\n")
    pages = [page(tmp_path / "x.html", sql=sql).read_text() for sql in attacks]
    (tmp_path / "x.html").write_text("\n".join(pages))
    before = fingerprints(tmp_path)
    verdicts = verify_file(tmp_path / "x.html").verdicts
    assert [sql for sql, each in zip(attacks, verdicts, strict=True) if each.state is not State.UNKNOWN] == []
    assert fingerprints(tmp_path) == before


STAGING = [
    "DELETE FROM races",
    "UPDATE races SET odds = 1 RETURNING odds",
    "WITH x AS (SELECT 1) DELETE FROM races",
    "SELECT 1; DROP TABLE races",
    "CREATE TABLE t AS SELECT 1",
    "PRAGMA user_version = 7",
    "PRAGMA journal_mode = DELETE",
    "ATTACH 'other.db' AS o",
    "VACUUM INTO 'copy.db'",
    "SELECT load_extension('x.so')",
    "SELECT writefile('x.txt', 'a')",
    "SELECT readfile('stage.db')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT * FROM pragma_user_version",
    "EXPLAIN SELECT 1",
    "BEGIN IMMEDIATE",
]


@pytest.mark.parametrize("sql", STAGING)
def test_on_staging_nothing_but_a_select_of_its_tables_runs(shell, tmp_path, sql):
    before = fingerprints(tmp_path)
    refused(page(tmp_path / "x.html", sql=sql, role="staging", file="stage.db"))
    assert fingerprints(tmp_path) == before
    with closing(sqlite3.connect(tmp_path / "stage.db", timeout=0)) as con:
        con.execute("BEGIN IMMEDIATE")  # no lock was left


def test_a_setup_may_make_temporary_things_only(shell, tmp_path):
    for sql in ("DELETE FROM races", "COPY races TO 'x.csv'", "SELECT 1", "CREATE TABLE t AS SELECT 1"):
        setup = [{"sql": sql, "parameters": {}, "version": "gen-000001"}]
        refused(page(tmp_path / "x.html", setup=setup))
    for setup in ([1], [{"sql": 1}], [{"sql": "SELECT 1"}]):
        refused(page(tmp_path / "x.html", setup=setup))
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize(
    ("sql", "role"),
    [
        ("SELECT range AS a FROM range(100000000000)", "analytics"),
        ("SELECT a.range AS a FROM range(100000) a, range(1000000) b", "analytics"),
        ("WITH RECURSIVE n(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM n) SELECT a FROM n", "staging"),
    ],
)
def test_a_result_that_never_ends_is_cut(shell, tmp_path, sql, role):
    file = {"analytics": "analytics.db", "staging": "stage.db"}[role]
    path = page(tmp_path / "x.html", sql=sql, role=role, file=file)
    assert "100,002 rows or more" in refused(path)


def test_a_claim_of_many_rows_is_not_believed(shell, tmp_path):
    sql = "SELECT range AS a FROM range(100000000000)"
    path = page(tmp_path / "x.html", sql=sql, rows=10**12, values=None)
    assert "20,000,000 rows or more" in refused(path)


@pytest.mark.slow
def test_a_result_that_needs_too_much_memory_ends_as_an_error(shell, tmp_path, monkeypatch):
    monkeypatch.setattr("greynb.report.verifying.again._MEMORY", "200MB")
    sql = (
        "SELECT sum(length(x)) AS a FROM (SELECT string_agg(range::VARCHAR, '') AS x FROM range(2000000000))"
    )
    refused(page(tmp_path / "x.html", sql=sql))
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize(
    "changed",
    [
        {"parameters": {"a": {"date": "yesterday"}}, "sql": "SELECT :a AS a"},
        {"parameters": {"a": {"decimal": "1e999999999"}}, "sql": "SELECT :a AS a"},
        {"parameters": {"a": {"list": "[" * 100_000}}, "sql": "SELECT :a AS a"},
        {"values": [[{"decimal": "1e999999999"}]], "hash": "0"},
        {"values": [[{"bytes": "no"}]], "hash": "0"},
        {"values": [[10**400]], "hash": "0"},
        {"values": [[{"struct": [[1, 2, 3]]}]], "hash": "0"},
        {"sql": "\x1b[2J\x1b]0;owned\x07 SELEC"},
        {"role": "admin"},
        {"file": "../../etc/passwd"},
        {"kind": "evaluation", "arguments": {"predictions": "x; DROP TABLE races"}},
        {"kind": "evaluation", "arguments": {"part": "__class__"}},
        {"version": "../../gen-000001"},
        {"frames": ["mine"]},
    ],
)
def test_damaged_and_dishonest_records_get_one_short_answer(shell, tmp_path, changed):
    found = verify_file(page(tmp_path / "x.html", **changed))
    assert all(line.isprintable() and len(line) < 400 for line in str(found).splitlines())


def test_a_version_that_was_published_after_the_record_is_not_the_one_it_names(shell, tmp_path):
    found = verify_file(page(tmp_path / "x.html", time="2020-01-01T00:00:00+00:00"))
    assert found.holds and any("gen-000001 is no longer kept" in note for note in found.verdicts[0].notes)


@pytest.mark.parametrize("record", ["[]", "{}", "nonsense", "[" * 100_000, '{"format": 1}', "null", '"x"'])
def test_what_is_no_record_is_an_error(shell, tmp_path, record):
    (tmp_path / "x.html").write_text(script(record))
    (tmp_path / "x.csv").write_text("a\n1\n")
    (tmp_path / "x.csv.meta.json").write_text(record)
    (tmp_path / "x.ipynb").write_text(record)
    for suffix in ("html", "csv", "ipynb"):
        with pytest.raises(greynb.UsageError):
            verify_file(tmp_path / f"x.{suffix}")


def test_a_record_that_claims_rows_without_number_takes_no_memory(shell, tmp_path):
    with pytest.raises(greynb.UsageError, match="not as many as its rows"):
        verify_file(page(tmp_path / "x.html", rows=10**13))


def test_frames_that_are_no_names_end_as_a_verdict(shell, tmp_path):
    assert "DataFrame of the notebook" in refused(page(tmp_path / "x.html", frames=[1, ["a"]]))
