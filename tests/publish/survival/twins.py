"""One staging published in two ways: incrementally again and again, and in full to a second target."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

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
        return result
