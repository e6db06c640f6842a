"""No row of an attached file is lost, whatever its rowid, and whichever connection reads it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from greynb.databases.analytics import AnalyticsSession
from greynb.databases.snapshot import SnapshotSource

GROUP = 122_880
"""DuckDB's multi-threaded scans of SQLite end one row early where the largest rowid is a multiple."""


@contextmanager
def session_over(path: Path, *statements: str) -> Iterator[AnalyticsSession]:
    with closing(sqlite3.connect(path)) as con, con:
        for statement in statements:
            con.execute(statement)
    with closing(AnalyticsSession(SnapshotSource(path, shared=False))) as session:
        yield session


def test_the_last_row_of_a_full_group_is_read_by_every_connection(tmp_path: Path) -> None:
    filled = (
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {GROUP})"
        " INSERT INTO t SELECT i, i FROM n"
    )
    sql, whole = "SELECT count(a), max(id) FROM t", [(GROUP, GROUP)]
    with session_over(tmp_path / "t.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, a)", filled) as session:
        frame = session.run(sql)[-1].frame
        assert frame is not None
        assert frame.to_numpy().tolist() == [list(whole[0])]
        with session.reader() as con:
            assert con.execute(sql).fetchall() == whole
            assert con.cursor().execute(sql).fetchall() == whole
            found: list[object] = []
            thread = threading.Thread(target=lambda: found.extend(con.execute(sql).fetchall()))
            thread.start()
            thread.join()
            assert found == whole


@pytest.mark.parametrize("declared", ["rowid REAL", "ROWID TEXT", "rowid INTEGER", '"RowId"'])
@pytest.mark.parametrize("kind", ["", "WITHOUT ROWID"])
def test_a_column_called_rowid_is_a_column_like_others(tmp_path: Path, declared: str, kind: str) -> None:
    values = [(-7, None), (0, 5), (1, 1), (2, None), (9, 5)]
    rows = ", ".join(f"({key}, {'NULL' if value is None else value})" for key, value in values)
    create = f"CREATE TABLE t (id INTEGER PRIMARY KEY, {declared}) {kind}"
    with session_over(tmp_path / "t.db", create, f"INSERT INTO t VALUES {rows}", "ANALYZE") as session:
        with session.reader() as con:
            for _ in range(2):
                found = con.execute("SELECT id, CAST(rowid AS DOUBLE) FROM t ORDER BY id").fetchall()
                assert found == values
                assert con.execute("SELECT count(*), count(rowid) FROM t").fetchone() == (5, 3)
                assert con.execute("SELECT id FROM t ORDER BY id DESC LIMIT 2").fetchall() == [(9,), (2,)]
        frame = session.run("SELECT count(*) AS n FROM t WHERE id < 9")[-1].frame
        assert frame is not None
        assert frame["n"].tolist() == [4]
