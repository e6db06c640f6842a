"""The snapshot of a lake that a session's statements read, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import Final

import duckdb

from greynb.databases.engine import lock
from greynb.databases.gate import Passed
from greynb.databases.running import Runner
from greynb.lake.attaching import data_folder, opened
from greynb.lake.catalog import LakeCatalog
from greynb.lake.contents import read_contents
from greynb.lake.snapshots import LakeSnapshot
from greynb.lake.storage import probe
from greynb.routing import Server

OTHER: Final = "the DuckLake was published by another version of greynb: {}"
_TRUSTED: Final = 5.0
"""Seconds for which a storage that answered is taken to be there."""


class LakeAttachment:
    """The snapshot that statements read.

    Attributes
    ----------
    snapshot, catalog
        None before the first.
    """

    archived: Final = None

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self.snapshot: LakeSnapshot | None = None
        self.catalog: LakeCatalog | None = None
        self.notices: list[str] = []

    def take(self, snapshot: LakeSnapshot) -> None:
        """Show the tables of a snapshot in place of the one before."""
        self.snapshot = self.catalog = None
        try:
            contents = read_contents(self._con, snapshot.number)
        except ValueError as error:
            contents = None
            self.notices.append(OTHER.format(error))
        catalog = LakeCatalog(self._con, snapshot.number, contents)
        catalog.open()
        self.snapshot, self.catalog = snapshot, catalog

    def take_notices(self) -> list[str]:
        """What is to be said of the snapshot; nothing when asked again."""
        notices, self.notices = self.notices, []
        return notices


class OpenLake:
    """An engine with the lake attached."""

    def __init__(self, server: Server, settings: Mapping[str, str | int]) -> None:
        self.con = opened(server, settings=settings)
        self.folder = folder = data_folder(self.con)
        if "://" in folder:
            # Otherwise parameters in the name of a file lead to another server.
            self.con.execute("SET GLOBAL s3_url_compatibility_mode = true")
        lock(self.con, [folder])
        self._server = server
        self._is_remote = "://" in folder
        self._asked = monotonic()
        self.attachment = LakeAttachment(self.con)
        self.runner = Runner(self.con, self.attachment)

    def check(self) -> None:
        """Raise `DatabaseError` where the storage was there and is no more; asked every few seconds."""
        if self._is_remote and monotonic() - self._asked > _TRUSTED:
            probe(self._server)
            self._asked = monotonic()

    def describe(
        self, passed: Passed, values: Mapping[str, object]
    ) -> tuple[list[tuple[str, str]], list[str]]:
        """Name and type of each column of a query, and what is to be said of its tables."""
        with self.runner.explained(passed.sql, passed.line):
            notices = [*self.attachment.take_notices(), *self.runner.ensure(passed)]
            rows = self.con.execute(f"DESCRIBE {passed.sql}", dict(values) or None).fetchall()
        return [(str(row[0]), str(row[1])) for row in rows], notices
