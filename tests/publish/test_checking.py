"""A long statement of a publication is stopped by what is told of its progress."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress

import pytest

from greynb.publish.checking import watched

LONG = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


def stopped(_part: float) -> None:
    raise KeyboardInterrupt


def test_what_is_raised_meanwhile_ends_a_statement_and_comes_out() -> None:
    with closing(sqlite3.connect(":memory:")) as con:
        with pytest.raises(KeyboardInterrupt), watched(con, stopped):
            con.execute(LONG)
        assert con.execute("SELECT 1").fetchone() == (1,)


def test_it_comes_out_also_where_the_block_takes_the_end_for_an_error_of_its_own() -> None:
    with (
        closing(sqlite3.connect(":memory:")) as con,
        pytest.raises(KeyboardInterrupt),
        watched(con, stopped),
        suppress(sqlite3.Error),
    ):
        con.execute(LONG)
