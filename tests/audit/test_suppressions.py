"""Comments that say to ignore a finding, in each language."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from greynb.audit import audit

PYTHON = "import sqlite3\n{above}con = sqlite3.connect({inside}\n    'greyhound_racing_data.db'\n){after}\n"


def told(tmp_path: Path, name: str, text: str) -> list[str]:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return [each.rule for each in audit([tmp_path / name]).findings if not each.suppressed]


@pytest.mark.parametrize(
    "comment",
    ["# greynb: ignore", "# greynb: ignore[raw-connect]", "# noqa  # greynb: ignore[built-sql, raw-connect]"],
)
@pytest.mark.parametrize("where", ["above", "inside", "after"])
def test_a_comment_on_any_line_of_the_finding_or_above_it_counts(
    tmp_path: Path, comment: str, where: str
) -> None:
    places = {"above": "", "inside": "", "after": ""} | {
        where: f"{comment}\n" if where == "above" else comment
    }

    assert told(tmp_path, "a.py", PYTHON.format(**places)) == []


@pytest.mark.parametrize("comment", ["# greynb: ignore[built-sql]", "# greynb ignore", "# noqa"])
def test_another_comment_does_not(tmp_path: Path, comment: str) -> None:
    assert told(tmp_path, "a.py", PYTHON.format(above="", inside=comment, after="")) == ["raw-connect"]


def test_a_comment_after_code_does_not_count_for_the_next_line(tmp_path: Path) -> None:
    text = "import sqlite3  # greynb: ignore\nsqlite3.connect('greyhound_racing_data.db')\n"
    assert told(tmp_path, "a.py", text) == ["raw-connect"]


def test_shell_sql_and_notebooks_have_comments_too(tmp_path: Path) -> None:
    sql = "ATTACH 'greyhound_racing_data.db' AS a; -- greynb: ignore[raw-connect]\n"
    shell = "#!/bin/sh\ncp greyhound_racing_data.db b.db # greynb: ignore[copied-database]\n"
    source = [
        "import sqlite3\n",
        "sqlite3.connect('greyhound_racing_data.db')  # greynb: ignore[raw-connect]",
    ]
    book = json.dumps({"cells": [{"cell_type": "code", "source": source}]}, indent=1)

    assert told(tmp_path, "a.sql", sql) == []
    assert told(tmp_path, "a.sh", shell) == []
    assert told(tmp_path, "a.ipynb", book) == []
