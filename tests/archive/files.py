"""A staging file with odds of several years, and what the tests ask of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from greynb.publish.content import content_hash

SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE odds_history (
    id INTEGER PRIMARY KEY AUTOINCREMENT, race_id TEXT, odds_decimal REAL, odds_change, is_final BOOLEAN,
    timestamp DATETIME, twice REAL GENERATED ALWAYS AS (odds_decimal * 2));
CREATE INDEX by_race ON odds_history (race_id);
"""
ODD: tuple[object, ...] = (
    None,
    7,
    -0.25,
    1e300,
    float("inf"),
    "",
    "a\0b",
    "i7",
    "🐕",
    b"",
    b"\x00\xff",
    2**62,
    "é",
)


def make_staging(path: Path, rows: int = 60) -> Path:
    """Rows over the months of 2021 to 2025, every class of values among them, one text not UTF-8."""
    with closing(sqlite3.connect(path)) as con:
        con.executescript(SCHEMA)
        con.executemany(
            "INSERT INTO odds_history (race_id, odds_decimal, odds_change, is_final, timestamp)"
            " VALUES (?, ?, ?, ?, ?)",
            (
                (
                    f"r{number}",
                    number / 8,
                    ODD[number % len(ODD)],
                    number % 2,
                    f"{2021 + number % 5}-{number % 12 + 1:02}-{number % 28 + 1:02} 10:30:00",
                )
                for number in range(rows)
            ),
        )
        con.execute("UPDATE odds_history SET odds_change = CAST(x'61ff62' AS TEXT) WHERE id = 6")
        con.execute(
            "INSERT INTO odds_history (race_id, timestamp) VALUES ('none', NULL), ('number', 20210101)"
        )
        con.commit()
    return path


def whole(path: Path, table: str = "odds_history") -> str:
    """The content hash of a table."""
    with closing(sqlite3.connect(path)) as con:
        return content_hash(con, table)


def ask(path: Path, sql: str) -> list[tuple[object, ...]]:
    """The rows of one statement on staging."""
    with closing(sqlite3.connect(path)) as con:
        return con.execute(sql).fetchall()


def change(path: Path, *statements: str) -> None:
    """Change staging as any program would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        for each in statements:
            con.execute(each)
