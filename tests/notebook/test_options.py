"""The line of a magic says where the result goes, how much is shown, and where the SQL begins."""

import pytest

from greynb.errors import UsageError
from greynb.notebook.options import CellOptions, parse


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", CellOptions()),
        ("df", CellOptions(name="df")),
        ("df <<", CellOptions(name="df")),
        ("df<<", CellOptions(name="df")),
        ("df= <<", CellOptions(name="df", show=True)),
        ("df = <<", CellOptions(name="df", show=True)),
        ("-o df", CellOptions(name="df")),
        ("--out df", CellOptions(name="df")),
        ("df --show", CellOptions(name="df", show=True)),
        ("--show df", CellOptions(name="df", show=True)),
        ("-n 5 df <<", CellOptions(name="df", rows=5)),
        ("--rows 0 -o df --show", CellOptions(name="df", rows=0, show=True)),
        ("SELECT 1", CellOptions(sql="SELECT 1")),
        ("SELECT", CellOptions(sql="SELECT")),
        ("df -- why not", CellOptions(sql="df -- why not")),
        ("-- a comment", CellOptions(sql="-- a comment")),
        ("select 1 << 3", CellOptions(sql="select 1 << 3")),
    ],
)
def test_every_habit_of_naming_the_result_above_a_body_is_understood(line, expected):
    assert parse(line, body=True, staging=False) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("SELECT 1", CellOptions(sql="SELECT 1")),
        ("df << SELECT 1", CellOptions(name="df", sql="SELECT 1")),
        ("-o df SELECT -1 -- x", CellOptions(name="df", sql="SELECT -1 -- x")),
        ("-n 3 SELECT 1", CellOptions(rows=3, sql="SELECT 1")),
        ("races", CellOptions(sql="races")),
    ],
)
def test_in_the_line_form_what_is_left_is_sql(line, expected):
    assert parse(line, body=False, staging=False) == expected


def test_dry_run_is_an_option_of_staging_alone():
    assert parse("--dry-run", body=True, staging=True).dry_run
    with pytest.raises(UsageError, match="no option --dry-run"):
        parse("--dry-run", body=True, staging=False)


def test_a_mistyped_option_is_named_with_the_nearest_one():
    with pytest.raises(UsageError, match="no option --shwo; did you mean --show"):
        parse("--shwo", body=True, staging=False)


def test_a_number_of_rows_must_be_a_number():
    with pytest.raises(UsageError, match="-n takes a number of rows, not 'many'"):
        parse("-n many", body=True, staging=False)


@pytest.mark.parametrize("line", ["-o 1df", "-o class", "class <<"])
def test_a_result_cannot_take_a_name_that_python_refuses(line):
    with pytest.raises(UsageError, match="cannot be the name of a variable"):
        parse(line, body=True, staging=False)
