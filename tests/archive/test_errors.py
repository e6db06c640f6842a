"""What goes wrong when rows move is said with the file that it happened on, and who chose it."""

from __future__ import annotations

import pytest

from greynb.cli import main
from tests.archive.files import change, make_staging

WORDS = ["archive", "--older-than", "1y", "--table", "odds_history", "--date", "timestamp", "--to"]


@pytest.fixture
def staging(tmp_path, monkeypatch):
    """A staging file that the environment names."""
    path = make_staging(tmp_path / "stage.db")
    monkeypatch.setenv("STAGING_DB_PATH", str(path))
    return path


def place(capsys) -> list[str]:
    """The lines that say where, of the message on standard error."""
    return [line for line in capsys.readouterr().err.splitlines() if line.startswith("  on: ")]


def test_an_error_in_staging_names_role_file_and_variable(staging, capsys):
    words = [*WORDS, str(staging.parent / "old")]
    words[words.index("odds_history")] = "odds"
    assert main(words) == 1
    assert place(capsys) == [f"  on: staging · {staging} · chosen by STAGING_DB_PATH (environment)"]


def test_a_missing_staging_names_the_variable_that_chose_it(staging, capsys, monkeypatch):
    gone = staging.parent / "gone.db"
    monkeypatch.setenv("STAGING_DB_PATH", str(gone))
    assert main([*WORDS, str(staging.parent / "old")]) == 1
    assert place(capsys) == [f"  on: staging · {gone} · chosen by STAGING_DB_PATH (environment)"]


def test_an_error_of_the_archive_names_its_folder_and_no_variable(staging, capsys):
    missing = staging.parent / "nowhere"
    assert main(["restore", str(missing)]) == 1
    assert place(capsys) == [f"  on: {missing}"]
    file = staging.parent / "a file"
    file.write_text("text")
    assert main([*WORDS, str(file)]) == 1
    assert place(capsys) == [f"  on: {file}"]


def test_rows_that_do_not_fit_name_staging_and_the_file_that_they_are_in(staging, capsys):
    folder = staging.parent / "old"
    assert main([*WORDS, str(folder)]) == 0
    change(staging, "INSERT INTO odds_history (id, race_id) VALUES (1, 'taken')")
    capsys.readouterr()
    assert main(["restore", str(folder)]) == 1
    shown = capsys.readouterr().err
    assert f"  on: staging · {staging} · chosen by STAGING_DB_PATH (environment)" in shown
    assert f"  file: {folder / 'odds_history-2021-01-'}" in shown
