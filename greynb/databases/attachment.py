"""The version of the analytics file that a DuckDB instance has attached, one at a time."""

from __future__ import annotations

from typing import Final

import duckdb

from greynb.databases.catalog import Catalog
from greynb.databases.identifiers import literal, quote
from greynb.databases.newer_schema import drop, too_new
from greynb.databases.relations import stop_if_interrupted
from greynb.databases.snapshot import Snapshot, SnapshotSource
from greynb.errors import UnreadableDatabase

INTERNAL: Final = "__greynb_"
"""How the names of attached files begin; the gate refuses them in statements."""
LEFT_OUT: Final = "{} was left out: its definition needs a newer SQLite than the one inside DuckDB"


class Attachment:
    """What is attached: the snapshot, and the catalog of typed views over it.

    Parameters
    ----------
    con
        The instance.
    source
        Where snapshots come from.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, source: SnapshotSource) -> None:
        self._con = con
        self._source = source
        self._count = 0
        self._attached: list[str] = []
        self._notices: list[str] = []
        self.snapshot: Snapshot | None = None
        self.catalog: Catalog | None = None

    def take(self, snapshot: Snapshot) -> None:
        """Attach a version in place of the one before; where that fails, none is attached.

        Views, indexes and triggers that DuckDB's SQLite cannot parse are left out, in a private copy.

        Raises
        ------
        UnreadableDatabase
            The file cannot be read.
        duckdb.Error
            The engine was interrupted, or cannot open the file.
        """
        left_out: list[str] = []
        while True:
            try:
                self._open(snapshot)
                break
            except UnreadableDatabase as error:
                name = too_new(error)
                if name is None or name in left_out:
                    raise
                snapshot = snapshot if left_out else self._source.copy()
                drop(snapshot.path, name)
                left_out.append(name)
        self.snapshot = snapshot
        self._notices = [*snapshot.notices, *map(LEFT_OUT.format, left_out)]

    def take_notices(self) -> list[str]:
        """What is to be said of the version; nothing when asked again."""
        notices, self._notices = self._notices, []
        return notices

    def say(self, notice: str) -> None:
        """Add to what is to be said."""
        self._notices.append(notice)

    def _open(self, snapshot: Snapshot) -> None:
        # From here on no cell may run, until the catalog has replaced or dropped every view of before.
        self.catalog = self.snapshot = None
        self._detach()
        self._count += 1
        alias = f"{INTERNAL}{self._count}"
        self._attached.append(alias)
        # HIDDEN: else a view or trigger that SQLite itself cannot read makes SHOW TABLES fail.
        options = "(TYPE sqlite, READ_ONLY, HIDDEN)"
        self._con.execute(f"ATTACH {literal(str(snapshot.path))} AS {quote(alias)} {options}")
        catalog = Catalog(self._con, alias, census=snapshot.census)
        catalog.open()
        self.catalog = catalog

    def _detach(self) -> None:
        """Detach what was attached before; what an interrupt or an error leaves is tried again next time."""
        for alias in list(self._attached):
            try:
                self._con.execute(f"DETACH DATABASE IF EXISTS {quote(alias)}")
            except duckdb.Error as error:
                stop_if_interrupted(error)
            else:
                self._attached.remove(alias)
