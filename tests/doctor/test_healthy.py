"""A healthy database has no fault, and an examination changes nothing."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from greynb.cli import main
from greynb.doctor.checks import CHECKS
from greynb.doctor.findings import LEVELS
from greynb.overview import status
from tests.doctor.conftest import change, ids

ROOT = Path(__file__).resolve().parents[2]


def state(folder: Path) -> dict[str, tuple[int, str]]:
    """All files below a folder: when they were written, and what is in them."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_healthy_demo_has_no_finding_above_info(demo, look):
    assert ids(look(), "error", "warning") == set()


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_an_examination_changes_no_file_and_leaves_none_behind(mode, demo, look):
    change(demo.staging, f"PRAGMA journal_mode = {mode}")
    before = state(demo.staging.parent)
    look()
    assert state(demo.staging.parent) == before


def test_each_finding_has_evidence_a_reason_and_what_mends_it(demo, look):
    demo.analytics.unlink()
    change(demo.staging, "PRAGMA journal_mode = DELETE")
    for each in look().findings:
        assert each.level in LEVELS
        assert all((each.title, each.evidence, each.why, each.mend))
        shown = str(each)
        assert each.title in shown and each.why in shown and all(line in shown for line in each.evidence)


def test_every_kind_of_fault_has_an_anchor_in_the_documentation():
    text = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    for each in CHECKS:
        assert f"### {each.id}\n" in text
    assert "### not-checked\n" in text
    assert len({each.id for each in CHECKS}) == len(CHECKS)


def test_a_healthy_database_is_exit_code_0_and_an_error_5(demo, capsys):
    assert main(["doctor"]) == 0
    assert "checks" in capsys.readouterr().out
    demo.analytics.unlink()
    assert main(["doctor"]) == 5
    assert "file-missing" in capsys.readouterr().out


def test_a_warning_alone_is_exit_code_0(demo, capsys):
    change(demo.staging, "PRAGMA journal_mode = DELETE")
    assert main(["doctor"]) == 0
    assert "warning: staging is not in WAL" in capsys.readouterr().out


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_locks_of_this_process_outlive_an_examination_and_a_status(mode, demo, look):
    """POSIX drops a process's locks on a file when the process closes it anywhere: nothing here may."""
    change(demo.staging, f"PRAGMA journal_mode = {mode}")
    with closing(sqlite3.connect(demo.staging, isolation_level=None)) as con:
        con.execute("BEGIN IMMEDIATE")
        look()
        status()
        program = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN IMMEDIATE')"
        other = subprocess.run(
            [sys.executable, "-c", program, str(demo.staging)], capture_output=True, text=True, check=False
        )
        con.execute("ROLLBACK")
    assert "database is locked" in other.stderr
