"""One staging published in two ways: incrementally again and again, and in full to a second target."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import duckdb

from greynb.databases.generations import MIRROR
from greynb.databases.mirrored import Contents
from greynb.publish import SyncResult, sync
from tests.publish.survival.comparing import content, differences, facts


class Twins:
    """A staging database and two targets whose content must never differ."""

    def __init__(self, folder: Path) -> None:
        self.stage = folder / "stage.db"
        self.target = folder / "analytics.db"
        self.full = folder / "full.db"

    def run(self, statements: Iterable[str]) -> None:
        """Run statements, each in a transaction of its own."""
        with closing(sqlite3.connect(self.stage, isolation_level=None)) as con:
            for statement in statements:
                con.execute(statement).fetchall()

    def publish(self) -> SyncResult:
        """Publish in both ways; both must equal staging, and say the same of it."""
        result = sync(self.stage, self.target, mode="incremental")
        sync(self.stage, self.full, mode="full")
        expected = content(self.stage)
        assert not differences(expected, content(self.target))
        assert not differences(expected, content(self.full))
        assert not differences(facts(self.full), facts(self.target))
        same_mirrors(self.full, self.target)
        return result


def same_mirrors(one: Path, other: Path) -> None:
    """Check that two versions have mirrors that say and hold the same, in whatever order."""
    paths = [each.resolve().with_name(MIRROR) for each in (one, other)]
    with duckdb.connect() as con:
        for number, path in enumerate(paths):
            con.execute(f"ATTACH '{path}' AS m{number} (READ_ONLY)")
        first, second = (Contents.read(con, f"m{number}") for number in range(2))
        assert first.tables == second.tables
        stored = [name for name, each in first.tables.items() if not each.unstored]
        for name in stored:
            a, b = (f'FROM m{number}.main."{name}"' for number in range(2))
            assert con.execute(f"({a} EXCEPT ALL {b}) UNION ALL ({b} EXCEPT ALL {a})").fetchall() == []
        assert sorted(stored) == sorted(
            name
            for (name,) in con.execute(
                "SELECT table_name FROM duckdb_tables() WHERE database_name = 'm1' AND schema_name = 'main'"
            ).fetchall()
        )
