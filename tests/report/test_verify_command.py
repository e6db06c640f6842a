"""``greynb verify FILE…`` as a command: what it prints, its exit codes, and Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import greynb
from greynb.cli import main
from tests.report.test_verify_hostile import page

SQL = "SELECT venue, count(*) AS races FROM races GROUP BY venue ORDER BY venue"


def test_all_that_holds_is_exit_code_0_in_a_few_lines(query, tmp_path, capsys):
    greynb.export(query(SQL), tmp_path / "a.html", tmp_path / "b.csv")
    assert main(["verify", str(tmp_path / "a.html"), str(tmp_path / "b.csv")]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[:4] == [
        "a.html: 1 result",
        f"  1  {SQL[:59]}…: holds exactly (3 rows) on gen-000001",
        "  the page is as it was made",
        "1 holds",
    ]
    assert out[4:] == ["b.csv: 1 result", out[1], "  the file is as it was written", "1 holds"]


def test_a_difference_is_exit_code_4_and_wins_over_errors(query, tmp_path, capsys):
    frame = query(SQL)
    frame.loc[1, "races"] = 7
    greynb.export(frame, tmp_path / "a.html")
    assert main(["verify", str(tmp_path / "nothing.html"), str(tmp_path / "a.html")]) == 4
    said = capsys.readouterr()
    assert "first: venue=SAN, races: 7 then, 40 now" in said.out
    assert said.err.startswith("greynb: there is no such file\n")


def test_what_cannot_be_verified_is_exit_code_1(query, tmp_path, capsys):
    (tmp_path / "a.csv").write_text("a\n1\n")
    assert main(["verify", str(tmp_path / "a.csv")]) == 1
    assert "carries no record" in capsys.readouterr().err


def test_json_is_for_machines(query, tmp_path, capsys):
    greynb.export(query(SQL), tmp_path / "a.html")
    assert main(["verify", "--json", str(tmp_path / "a.html"), str(tmp_path / "no.html")]) == 1
    first, second = json.loads(capsys.readouterr().out)
    assert first["holds"] and first["results"][0]["state"] == "exact"
    assert not second["holds"] and "no such file" in second["error"]


def test_without_a_file_analytics_is_compared_with_staging_as_before(query, capsys):
    assert main(["verify"]) == 0
    assert "equal to staging" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("role", "sql"),
    [
        (
            "analytics",
            "SELECT count(*) AS a FROM range(900000) x, range(900000) y WHERE x.range <> y.range + 1",
        ),
        (
            "staging",
            "WITH RECURSIVE n(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM n) SELECT max(a) AS a FROM n",
        ),
    ],
)
def test_ctrl_c_ends_it_at_once(shell, tmp_path: Path, role: str, sql: str):
    file = {"analytics": "analytics.db", "staging": "stage.db"}[role]
    path = page(tmp_path / "x.html", sql=sql, role=role, file=file)
    process = subprocess.Popen(
        [sys.executable, "-m", "greynb", "verify", str(path)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ},
        text=True,
    )
    assert process.stderr is not None
    assert "result 1 of 1" in process.stderr.readline()
    time.sleep(1.5)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130 and time.monotonic() - begun < 5
    assert "Traceback" not in said and "interrupted" in said
