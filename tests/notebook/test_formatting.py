"""Formatting the SQL of cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greynb.errors import UsageError
from greynb.notebook.formatting import format_sql
from tests.notebook.shell import run, text


@pytest.mark.parametrize(
    "line", ["%%analytics", "%%staging --dry-run", "%%analytics races -n 5", "\n%%staging"]
)
def test_the_line_of_the_magic_stays_and_the_sql_below_is_laid_out(line: str) -> None:
    assert format_sql(f"{line}\nselect a,b\n\nfrom t") == f"{line}\nSELECT a, b FROM t"


def test_sql_without_a_magic_is_laid_out_as_of_analytics() -> None:
    assert format_sql("select e'\\'' as Q from t") == "SELECT e'\\'' AS Q FROM t"


def test_each_role_has_its_own_tokens() -> None:
    assert format_sql("%%staging\nselect [a,b]") == "%%staging\nSELECT [a,b]"
    assert format_sql("%%analytics\nselect [a,b]") == "%%analytics\nSELECT [a, b]"


@pytest.mark.parametrize(
    "cell",
    [
        "%%time\nselect = 1",
        "%analytics select 1",
        "%%analytics select a,\n  b from t",
        "%%analytics --nonsense\nselect 1",
        "%%analytics2\nselect 1",
        "%%analytics df",
    ],
)
def test_other_cells_are_returned_as_they_are(cell: str) -> None:
    assert format_sql(cell) == cell


@given(st.text())
def test_any_cell_is_formatted_without_an_error_and_only_once(body: str) -> None:
    once = format_sql(f"%%staging\n{body}")
    assert format_sql(once) == once


def test_the_command_makes_the_last_sql_cell_laid_out_the_next_cell(shell) -> None:
    run(shell, "%%analytics\nselect   count(*)   from races")
    run(shell, "1 + 1")
    run(shell, "%greynb format")
    assert shell.rl_next_input == "%%analytics\nSELECT count(*) FROM races"


def test_the_command_shows_sql_that_it_is_given(shell) -> None:
    assert "SELECT 'it''s' FROM t" in text(run(shell, "%greynb format select 'it''s' from t")).splitlines()[0]


def test_the_command_says_where_there_is_nothing_to_format(shell) -> None:
    with pytest.raises(UsageError, match="no SQL cell has run yet"):
        run(shell, "%greynb format")
