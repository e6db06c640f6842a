"""Schema changes between versions, and kinds of tables and files: incremental equals full."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from greynb.publish import sync
from tests.publish.survival.comparing import content, differences
from tests.publish.survival.giant import publish_beyond_a_gibibyte
from tests.publish.survival.twins import Twins

ROWS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})"


def rows(table: str, number: int, values: str) -> str:
    """An INSERT of so many rows; ``i`` counts from 1."""
    return f"INSERT INTO {table} {ROWS.format(number)} SELECT {values} FROM n"


BEGIN = [
    "CREATE TABLE races (id INTEGER PRIMARY KEY, venue TEXT, metres INTEGER, note)",
    rows("races", 800, "i, 'venue ' || (i % 9), 300 + i, hex(randomblob(30))"),
    "CREATE TABLE other (a, b TEXT)",
    rows("other", 300, "i, 'b' || i"),
    "CREATE INDEX by_venue ON races (venue)",
    "CREATE VIEW long_ones AS SELECT * FROM races WHERE metres > 700",
]

CHANGES = {
    "nothing": [],
    "a table added": ["CREATE TABLE new (x)", rows("new", 500, "i")],
    "a table dropped": ["DROP TABLE other"],
    "a table renamed": ["ALTER TABLE other RENAME TO another"],
    "two tables exchange their names": [
        "DROP VIEW long_ones",
        "ALTER TABLE other RENAME TO x",
        "ALTER TABLE races RENAME TO other",
        "ALTER TABLE x RENAME TO races",
    ],
    "a table dropped and made again": [
        "DROP TABLE other",
        "CREATE TABLE other (a, b TEXT)",
        rows("other", 300, "i, 'c' || i"),
    ],
    "a table dropped, another in its pages": [
        "DROP TABLE other",
        "CREATE TABLE more (a, b TEXT)",
        rows("more", 300, "i, 'b' || i"),
    ],
    "a column added": ["ALTER TABLE races ADD COLUMN grade TEXT DEFAULT 'M'"],
    "a column added and filled": [
        "ALTER TABLE races ADD COLUMN grade TEXT",
        "UPDATE races SET grade = 'M' WHERE id % 50 = 1",
    ],
    "a column dropped": ["ALTER TABLE races DROP COLUMN note"],
    "a column renamed": ["ALTER TABLE other RENAME COLUMN b TO c"],
    "a declared type changed, no row": [
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET sql = replace(sql, 'metres INTEGER', 'metres REAL') WHERE name = 'races'",
        "PRAGMA writable_schema = RESET",
    ],
    "a type changed by a new table": [
        "CREATE TABLE x (a TEXT, b TEXT)",
        "INSERT INTO x SELECT * FROM other",
        "DROP TABLE other",
        "ALTER TABLE x RENAME TO other",
    ],
    "an index added": ["CREATE INDEX by_metres ON races (metres)"],
    "an index dropped": ["DROP INDEX by_venue"],
    "an index changed": ["DROP INDEX by_venue", "CREATE INDEX by_venue ON races (venue DESC, id)"],
    "a view changed": ["DROP VIEW long_ones", "CREATE VIEW long_ones AS SELECT id FROM races"],
    "a trigger added": ["CREATE TRIGGER t AFTER DELETE ON other BEGIN DELETE FROM races; END"],
    "all rows deleted": ["DELETE FROM other"],
    "rows renumbered": ["UPDATE races SET id = id + 100000"],
    "a type changed in one row": ["UPDATE races SET metres = 'unknown' WHERE id = 77"],
    "an integer for a real": ["UPDATE other SET a = a * 1.0 WHERE a = 5"],
    "VACUUM": ["DELETE FROM races WHERE id % 3 = 1", "VACUUM"],
    "VACUUM to another page size": ["PRAGMA page_size = 8192", "VACUUM"],
    "REINDEX and ANALYZE": ["REINDEX", "ANALYZE"],
    "another journal mode": ["PRAGMA journal_mode = WAL", "DELETE FROM other WHERE a = 9"],
    "auto_vacuum switched on": ["PRAGMA auto_vacuum = FULL", "VACUUM", "DELETE FROM races WHERE id < 300"],
    "settings of the user": ["PRAGMA user_version = 7", "PRAGMA application_id = 9"],
}

KINDS = {
    "WITHOUT ROWID": "CREATE TABLE t (a TEXT, b, c, PRIMARY KEY (b, a)) WITHOUT ROWID",
    "AUTOINCREMENT": "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT, b, c)",
    "STRICT": "CREATE TABLE t (a INTEGER, b TEXT, c ANY) STRICT",
    "generated columns": (
        "CREATE TABLE t (a, b, c, d AS (a || b) STORED, e INTEGER GENERATED ALWAYS AS (length(c)) VIRTUAL)"
    ),
    "FTS5": "CREATE VIRTUAL TABLE t USING fts5 (a, b, c)",
    "R*Tree": "CREATE VIRTUAL TABLE t USING rtree (a, b, c)",
    "a text key": "CREATE TABLE t (a TEXT PRIMARY KEY, b UNIQUE, c)",
    "a column named rowid": "CREATE TABLE t (a, b, c, rowid TEXT)",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_the_schema_is_published_exactly(tmp_path: Path, change: list[str]) -> None:
    twins = Twins(tmp_path)
    twins.run(BEGIN)
    twins.publish()
    twins.run(["UPDATE races SET note = 'seen' WHERE id = 400", *change])
    twins.publish()
    twins.run(["CREATE TABLE IF NOT EXISTS last (a)", "INSERT INTO last VALUES (1)"])
    twins.publish()


@pytest.mark.parametrize("table", KINDS.values(), ids=KINDS)
def test_any_kind_of_table_is_published_exactly(tmp_path: Path, table: str) -> None:
    twins = Twins(tmp_path)
    twins.run([table, rows("t (a, b, c)", 900, "i, i || '', i || ''")])
    twins.publish()
    number = "CAST(a AS INTEGER)"
    twins.run(
        [
            f"UPDATE t SET c = '999999' WHERE {number} % 200 = 3",
            f"DELETE FROM t WHERE {number} BETWEEN 400 AND 420",
            "INSERT INTO t (a, b, c) VALUES (5000, '5000', '5001')",
        ]
    )
    twins.publish()
    twins.run(["DELETE FROM t WHERE b = '5000'", "VACUUM"])
    twins.publish()


@pytest.mark.parametrize("vacuum", ["NONE", "FULL", "INCREMENTAL"])
@pytest.mark.parametrize("size", [512, 1024, 4096, 65536])
def test_any_page_size_with_any_auto_vacuum_is_published_exactly(
    tmp_path: Path, size: int, vacuum: str
) -> None:
    twins = Twins(tmp_path)
    twins.run(
        [
            f"PRAGMA page_size = {size}",
            f"PRAGMA auto_vacuum = {vacuum}",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)",
            "CREATE TABLE u (a PRIMARY KEY, b) WITHOUT ROWID",
        ]
    )
    twins.run([rows("t", 700, "i, i * 0.5, zeroblob(i * 7)"), rows("u", 300, "'k' || i, zeroblob(i * 5)")])
    twins.publish()
    twins.run(
        [
            "DELETE FROM t WHERE id BETWEEN 100 AND 400",
            "UPDATE t SET b = CAST('end' AS BLOB) WHERE id = 650",
            "UPDATE u SET b = 1 WHERE a = 'k250'",
            "PRAGMA incremental_vacuum(20)",
        ]
    )
    twins.publish()
    twins.run(["PRAGMA incremental_vacuum", rows("t", 50, "i + 5000, i, zeroblob(i)")])
    twins.publish()


@pytest.mark.slow
def test_a_table_of_two_thousand_columns_is_published_exactly(tmp_path: Path) -> None:
    twins = Twins(tmp_path)
    names = [f"c{i}" for i in range(2000)]
    twins.run([f"CREATE TABLE wide ({', '.join(names)})", "INSERT INTO wide (c0, c1999) VALUES (1, 'x')"])
    twins.publish()
    twins.run(["UPDATE wide SET c1000 = 2.5", "INSERT INTO wide (c7) VALUES (x'00')"])
    twins.publish()


@pytest.mark.slow
def test_blobs_of_fifty_megabytes_are_published_exactly(tmp_path: Path) -> None:
    stage, target = tmp_path / "stage.db", tmp_path / "analytics.db"
    with closing(sqlite3.connect(stage)) as con:
        con.execute("PRAGMA synchronous = OFF")
        con.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB)")
        con.executemany("INSERT INTO t VALUES (?, zeroblob(50000000))", [(1,), (2,)])
        con.commit()
        sync(stage, target)
        # One byte in the middle of the second: only an overflow page changes, no leaf.
        with con.blobopen("t", "b", 2) as blob:
            blob.seek(25_000_000)
            blob.write(b"!")
        con.commit()
    sync(stage, target, mode="incremental")
    assert not differences(content(stage), content(target))


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
def test_other_encodings_are_published_exactly(tmp_path: Path, encoding: str) -> None:
    twins = Twins(tmp_path)
    twins.run([f"PRAGMA encoding = '{encoding}'", "CREATE TABLE hünd (é TEXT)"])
    twins.run([rows("hünd", 300, "'犬 ' || i")])
    twins.publish()
    twins.run(["UPDATE hünd SET é = 'ß' WHERE rowid = 150"])
    twins.publish()


@pytest.mark.slow
def test_a_file_beyond_a_gibibyte_is_published_exactly(tmp_path: Path) -> None:
    assert "equal" in publish_beyond_a_gibibyte(tmp_path)
