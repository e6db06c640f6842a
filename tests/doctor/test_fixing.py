"""``greynb doctor --fix``: shown first, then done, and told."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

from greynb.cli import main
from tests.doctor.conftest import change
from tests.publish.processes import holding, stop


def rows(path):
    with closing(sqlite3.connect(path)) as con:
        tables = [row[0] for row in con.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {
            name: con.execute(f"SELECT * FROM {name}").fetchall() for name in tables if "stat" not in name
        }


def test_each_fix_is_shown_before_it_is_applied_and_told_after(demo, capsys):
    change(demo.staging, "PRAGMA journal_mode = DELETE")
    before = rows(demo.staging)
    assert main(["doctor", "--fix"]) == 0
    shown = capsys.readouterr().out
    first = shown.index("staging is not in WAL")
    planned = shown.index(f"not-wal: switch {demo.staging} to WAL")
    done = shown.index("done: the database is in WAL now")
    assert first < planned < done
    assert "after the fixes: 2 notes" in shown
    assert rows(demo.staging) == before


def test_a_fix_that_is_refused_says_why_and_the_others_are_applied(demo, capsys):
    change(demo.staging, "PRAGMA journal_mode = DELETE")
    env = demo.staging.with_name(".env")
    env.write_text("API_TOKEN=secret\n")
    env.chmod(0o666)
    writer = holding(demo.staging, "BEGIN IMMEDIATE")
    try:
        main(["doctor", "--fix"])
    finally:
        stop(writer)
    shown = capsys.readouterr().out
    assert "refused: the database was locked" in shown
    assert env.stat().st_mode & 0o777 == 0o660


def test_without_anything_to_mend_it_says_so(demo, capsys):
    main(["doctor", "--fix"])
    capsys.readouterr()
    main(["doctor", "--fix"])
    assert "nothing that --fix may mend" in capsys.readouterr().out


def test_the_findings_and_fixes_for_machines_are_json_alone_on_standard_output(demo, capsys):
    change(demo.staging, "PRAGMA journal_mode = DELETE")
    main(["doctor", "--json"])
    told = json.loads(capsys.readouterr().out)
    (finding,) = [each for each in told["findings"] if each["id"] == "not-wal"]
    assert finding["level"] == "warning" and finding["path"] == str(demo.staging) and finding["fix"]
    assert told["counts"]["warning"] == 1 and "fixes" not in told
    main(["doctor", "--json", "--fix"])
    told = json.loads(capsys.readouterr().out)
    assert {(each["id"], each["outcome"]) for each in told["fixes"]} == {
        ("not-wal", "done"),
        ("no-statistics", "done"),
    }
    assert told["counts"]["warning"] == 0
