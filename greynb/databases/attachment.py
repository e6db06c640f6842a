"""The version of the analytics file that a DuckDB instance has attached, one at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from greynb.databases.archived import ArchivedRows
from greynb.databases.catalog import Catalog
from greynb.databases.extension import extension_path
from greynb.databases.identifiers import literal, quote
from greynb.databases.mirrorcatalog import MirrorCatalog
from greynb.databases.mirrored import Contents
from greynb.databases.newer_schema import drop, too_new
from greynb.databases.reading import AnyCatalog
from greynb.databases.relations import first_line, stop_if_interrupted
from greynb.databases.snapshot import Snapshot, SnapshotSource
from greynb.errors import UnreadableDatabase

INTERNAL: Final = "__greynb_"
"""How the names of attached files begin; the gate refuses them in statements."""
UNREADABLE: Final = "the columnar mirror cannot be read, the SQLite file is: {}"
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
        self._broken: set[tuple[Path, int]] = set()
        self._sqlite: str | None = None
        self.snapshot: Snapshot | None = None
        self.mirror: Path | None = None
        self.catalog: AnyCatalog | None = None
        self.archived: ArchivedRows | None = None

    def take(self, snapshot: Snapshot, mirror: Path | None = None) -> None:
        """Attach a version in place of the one before; where that fails, none is attached.

        Views, indexes and triggers that DuckDB's SQLite cannot parse are left out, in a private copy.

        Parameters
        ----------
        snapshot
            The version.
        mirror
            Its columnar mirror, which is attached in place of the SQLite file if it can be read.

        Raises
        ------
        UnreadableDatabase
            The file cannot be read.
        duckdb.Error
            The engine was interrupted, or cannot open the file.
        """
        if mirror is None or not self._mirrored(snapshot, mirror):
            self._direct(snapshot)
        assert self.catalog is not None
        self.archived = ArchivedRows(self._con, self.catalog)

    def _direct(self, snapshot: Snapshot) -> None:
        """Attach the SQLite file, without what DuckDB's SQLite cannot parse."""
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
        self._notices += [*snapshot.notices, *map(LEFT_OUT.format, left_out)]

    def take_notices(self) -> list[str]:
        """What is to be said of the version; nothing when asked again."""
        notices, self._notices = self._notices, []
        return notices

    def say(self, notice: str) -> None:
        """Add to what is to be said."""
        self._notices.append(notice)

    def is_broken(self, mirror: Path) -> bool:
        """Whether a mirror could not be read."""
        return bool(self._broken) and _identity(mirror) in self._broken

    def blames_mirror(self, error: Exception) -> bool:
        """Whether a statement failed because the mirror cannot be read; then it is not used any more."""
        if self.mirror is None or not isinstance(error.__cause__, duckdb.IOException):
            return False
        self._broken.add(_identity(self.mirror))
        self._notices.append(UNREADABLE.format(first_line(error.__cause__)))
        return True

    @property
    def is_still(self) -> bool:
        """Whether nothing is attached that something else could write to."""
        return self.mirror is not None and len(self._attached) == 1

    def _mirrored(self, snapshot: Snapshot, mirror: Path) -> bool:
        """Attach the mirror, if that can be done."""
        self._forget()
        try:
            alias = self._attach(mirror, "READ_ONLY, HIDDEN")
            catalog = MirrorCatalog(
                self._con, alias, Contents.read(self._con, alias), lambda: self._beside(snapshot)
            )
            catalog.open()
        except (duckdb.Error, ValueError) as error:
            stop_if_interrupted(error)
            self._broken.add(_identity(mirror))
            self._notices = [UNREADABLE.format(first_line(error))]
            return False
        self.catalog, self.snapshot, self.mirror = catalog, snapshot, mirror
        self._notices = list(snapshot.notices)
        return True

    def _open(self, snapshot: Snapshot) -> None:
        self._forget()
        catalog = Catalog(self._con, self._attach_sqlite(snapshot), census=snapshot.census)
        catalog.open()
        self.catalog = catalog

    def _beside(self, snapshot: Snapshot) -> str:
        """The alias of the SQLite file beside its mirror, attached when it is first asked for."""
        if self._sqlite is None:
            self._sqlite = self._attach_sqlite(snapshot)
        return self._sqlite

    def _attach_sqlite(self, snapshot: Snapshot) -> str:
        extension_path()  # raises, with what to do, where it is missing
        # HIDDEN: else a view or trigger that SQLite itself cannot read makes SHOW TABLES fail.
        return self._attach(snapshot.path, "TYPE sqlite, READ_ONLY, HIDDEN")

    def _attach(self, path: Path, options: str) -> str:
        self._count += 1
        alias = f"{INTERNAL}{self._count}"
        self._attached.append(alias)
        self._con.execute(f"ATTACH {literal(str(path))} AS {quote(alias)} ({options})")
        return alias

    def _forget(self) -> None:
        """From here on no cell may run, until a catalog has replaced or dropped every view of before."""
        if self.archived is not None:
            self.archived.close()
        self.catalog = self.snapshot = self.mirror = self._sqlite = self.archived = None
        self._detach()

    def _detach(self) -> None:
        """Detach what was attached before; what an interrupt or an error leaves is tried again next time."""
        for alias in list(self._attached):
            try:
                self._con.execute(f"DETACH DATABASE IF EXISTS {quote(alias)}")
            except duckdb.Error as error:
                stop_if_interrupted(error)
            else:
                self._attached.remove(alias)


def _identity(mirror: Path) -> tuple[Path, int]:
    """A mirror, told apart from another one that takes its place."""
    try:
        return mirror, mirror.stat().st_mtime_ns
    except OSError:
        return mirror, 0
