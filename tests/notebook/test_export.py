"""``--export`` of a cell and ``%greynb export``: files beside the result, and no result lost."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from greynb.errors import UsageError
from greynb.notebook.options import parse
from tests.notebook.shell import run, text


def rows_of(path: str | Path) -> list[list[str]]:
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("magic", ["analytics", "staging"])
def test_a_cell_writes_all_rows_to_several_files_and_says_so(shell: InteractiveShell, magic: str) -> None:
    options = "-n 1 --export 'out/my races.csv' --export out/races.parquet"
    shown = text(run(shell, f"%%{magic} {options}\nSELECT * FROM races ORDER BY race_id"))
    assert "1 of 4 rows" in shown and "a2" not in shown
    assert f"written: {Path('out/my races.csv')}: 4 rows, " in shown and "races.parquet: 4 rows" in shown
    assert [row[0] for row in rows_of("out/my races.csv")] == ["race_id", "a1", "a2", "b1", "b2"]
    assert len(pd.read_parquet("out/races.parquet")) == 4


def test_a_result_that_is_only_assigned_says_what_was_written(shell: InteractiveShell) -> None:
    shown = text(run(shell, "%%analytics df --export x.md\nSELECT 1 AS a"))
    assert "written: x.md: 1 row" in shown and "BIGINT" not in shown
    assert list(shell.user_ns["df"].columns) == ["a"]


def test_a_line_magic_exports_too(shell: InteractiveShell) -> None:
    run(shell, "df = %analytics --export x.csv SELECT '-- not an option' AS a")
    assert rows_of("x.csv") == [["a"], ["'-- not an option"]]


def test_formulas_are_kept_where_that_is_asked_for(shell: InteractiveShell) -> None:
    run(shell, "%%analytics --keep-formulas --export x.csv\nSELECT '=1' AS a")
    assert rows_of("x.csv") == [["a"], ["=1"]]


def test_the_same_cell_run_again_replaces_its_file_and_another_does_not(shell: InteractiveShell) -> None:
    shell.user_ns["venue"] = "RICH"
    cell = "%%analytics --export x.csv\nSELECT race_id FROM races WHERE venue = :venue"
    run(shell, cell)
    shell.user_ns["venue"] = "TAR"
    run(shell, cell)
    assert rows_of("x.csv")[1:] == [["b1"], ["b2"]]
    with pytest.raises(UsageError, match="another query"):
        run(shell, "%%analytics --export x.csv\nSELECT 2 AS two")
    assert rows_of("x.csv")[1:] == [["b1"], ["b2"]]
    run(shell, "%%analytics --export x.csv --force\nSELECT 2 AS two")
    assert rows_of("x.csv") == [["two"], ["2"]]


@pytest.mark.parametrize("paths", ["x.exel", "folder.csv", "x", "file/x.csv", "x.csv --export ./x.csv"])
def test_a_path_that_will_not_do_is_refused_before_the_cell_runs(shell: InteractiveShell, paths: str) -> None:
    Path("folder.csv").mkdir()
    Path("file").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match=r"suffix|folder|twice"):
        run(shell, f"%%staging --export {paths}\nDELETE FROM races RETURNING race_id")
    run(shell, "n = %staging SELECT count(*) AS n FROM races")
    assert shell.user_ns["n"]["n"].tolist() == [4]


def test_a_file_that_cannot_be_replaced_loses_no_result(shell: InteractiveShell) -> None:
    Path("x.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="the result itself is in df"):
        run(shell, "%%analytics df --export x.csv\nSELECT 7 AS n")
    assert shell.user_ns["df"]["n"].tolist() == [7]
    with pytest.raises(UsageError, match="the result itself is in _"):
        run(shell, "%%analytics --export x.csv\nSELECT 8 AS n")
    assert shell.user_ns["_"]["n"].tolist() == [8]


def test_a_cell_without_rows_has_nothing_to_export(shell: InteractiveShell) -> None:
    with pytest.raises(UsageError, match="nothing to export"):
        run(shell, "%%staging --export x.csv\nDELETE FROM races")
    assert not Path("x.csv").exists()


def test_a_frame_of_the_notebook_is_exported_by_name(shell: InteractiveShell) -> None:
    run(shell, "%%analytics df\nSELECT * FROM races")
    shown = text(run(shell, "%greynb export df 'a b.json' b.xlsx"))
    assert "a b.json: 4 rows" in shown and "b.xlsx: 4 rows" in shown
    assert Path("a b.json").exists() and Path("b.xlsx").exists()
    shell.user_ns["plain"] = pd.DataFrame({"a": ["=1"]})
    run(shell, "%greynb export --force plain b.xlsx --keep-formulas c.csv")
    assert rows_of("c.csv") == [["a"], ["=1"]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("export dff x.csv", r"did you mean df\?"),
        ("export df", "paths"),
        ("export df x.csv --forc", "(?s)--forc.*%greynb export NAME"),
        ("export df 'x.csv", "close the quotes"),
        ("expor df x.csv", r"did you mean export\?"),
        ("export df.head(3) x.csv", r"(?s)not a DataFrame.*greynb\.export\(df\.head\(3\), …\)"),
    ],
)
def test_a_slip_in_the_command_is_one_short_error(shell: InteractiveShell, line: str, message: str) -> None:
    shell.user_ns["df"] = pd.DataFrame({"a": [1]})
    with pytest.raises(UsageError, match=message):
        run(shell, f"%greynb {line}")
    assert not Path("x.csv").exists()


def test_the_paths_of_a_line_may_stand_in_quotes() -> None:
    line = """df --export "a b.csv" --export 'it"s.md' --export c.json --force"""
    options = parse(line, body=True, staging=False)
    assert options.exports == ("a b.csv", 'it"s.md', "c.json") and options.force
    assert parse("--export x.csv SELECT 'a b'", body=False, staging=True).sql == "SELECT 'a b'"


@pytest.mark.parametrize("line", ["--export", "--export --force", "--export ''", '--export "x'])
def test_an_export_without_a_path_is_an_error(line: str) -> None:
    with pytest.raises(UsageError, match="--export takes the path"):
        parse(line, body=True, staging=False)


def test_help_and_errors_name_the_options(shell: InteractiveShell) -> None:
    assert "--export PATH" in text(run(shell, "%greynb help"))
    with pytest.raises(UsageError, match="did you mean --export"):
        run(shell, "%%analytics --exprt x.csv\nSELECT 1")
