"""SQLite connections whose ``with`` block closes them."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from greynb.databases.snapshot import SnapshotSource


class BlockConnection(sqlite3.Connection):
    """A `sqlite3.Connection` whose ``with`` block commits or rolls back, and then closes it."""

    def __exit__(  # type: ignore[override]
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            super().__exit__(kind, error, trace)
        finally:
            self.close()


class SnapshotConnection(BlockConnection):
    """A connection to one snapshot, which it lets go when it is closed."""

    source: SnapshotSource | None = None

    def close(self) -> None:
        """Close the connection, then let the snapshot go."""
        super().close()
        if self.source is not None:
            self.source.close()
