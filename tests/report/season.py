"""A few races, staged and published, for the tests of verifying."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import greynb

RACES = """
CREATE TABLE races (race_id TEXT PRIMARY KEY, venue TEXT, race_date DATE, odds REAL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
INSERT INTO races SELECT 'r' || i, CASE i % 3 WHEN 0 THEN 'RICH' WHEN 1 THEN 'TAR' ELSE 'SAN' END,
    date('2025-07-01', '+' || (i % 30) || ' days'), 1.1 + i * 0.7 FROM n;
"""


def change(folder: Path, script: str, *, publish: bool = True) -> None:
    """Run a script on staging, and publish it."""
    with closing(sqlite3.connect(folder / "stage.db")) as con:
        con.executescript(script)
    if publish:
        greynb.sync()
