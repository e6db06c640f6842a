"""A baseline hides what is known, however it moves, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from greynb.audit import audit, baseline
from greynb.errors import UsageError

FAULT = "con = sqlite3.connect('greyhound_racing_data.db')\n"


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    script = Path("load.py")
    script.write_text("import sqlite3\n" + FAULT)
    baseline.write(Path("known.json"), audit(["load.py"]).findings)
    return script


def compared() -> baseline.Compared:
    return baseline.compared("known.json", audit(["load.py"]).findings)


def test_what_is_known_is_not_new(script: Path) -> None:
    assert (compared().new, len(compared().known), compared().gone) == ([], 1, 0)


def test_what_moves_is_still_known(script: Path) -> None:
    script.write_text("import sqlite3\n\n# a comment\nif True:\n    " + FAULT)

    assert (compared().new, len(compared().known)) == ([], 1)


def test_a_second_fault_of_the_same_text_is_new(script: Path) -> None:
    script.write_text("import sqlite3\n" + FAULT + FAULT)

    assert (len(compared().new), len(compared().known)) == (1, 1)


def test_what_was_mended_is_counted(script: Path) -> None:
    script.write_text("import greynb\ncon = greynb.get_conn()\n")

    assert (compared().new, compared().known, compared().gone) == ([], [], 1)


def test_another_file_with_the_same_fault_is_new(script: Path) -> None:
    Path("other.py").write_text(script.read_text())

    assert len(baseline.compared("known.json", audit(["other.py"]).findings).new) == 1


def test_the_folder_that_a_file_is_named_from_does_not_matter(script: Path) -> None:
    assert baseline.compared("known.json", audit([script.resolve()]).findings).new == []


def test_ignored_findings_are_not_written(script: Path) -> None:
    script.write_text("import sqlite3\n" + FAULT.rstrip() + "  # greynb: ignore\n")

    assert baseline.write(Path("known.json"), audit(["load.py"]).findings) == 0


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"greynb-audit-baseline": 9, "findings": []}', "\x00"])
def test_a_file_that_is_no_baseline_is_an_error(script: Path, content: str) -> None:
    Path("known.json").write_text(content)

    with pytest.raises(UsageError, match="no baseline of greynb audit"):
        compared()


def test_a_missing_baseline_is_an_error_that_says_how_to_make_it(script: Path) -> None:
    Path("known.json").unlink()

    with pytest.raises(UsageError, match="--write-baseline"):
        compared()
