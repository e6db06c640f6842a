"""Staging on PostgreSQL, copied in one transaction: only what changed, where that can be told."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from greynb.databases.copying import check_space
from greynb.errors import DatabaseError, PublishError
from greynb.postgres import copying
from greynb.postgres.connecting import connect
from greynb.postgres.relations import relations
from greynb.postgres.rows import rows
from greynb.postgres.silence import served
from greynb.postgres.snapshot import ServerLook, look, snapshot, why_not_since
from greynb.publish.content import Content, number_of
from greynb.publish.source import Copy
from greynb.publish.steps import Steps

if TYPE_CHECKING:
    import psycopg

    from greynb.databases.generations import Generation
    from greynb.routing import Server

_KIND: Final = "postgresql"


class ServerSource:
    """Staging in a PostgreSQL database."""

    def __init__(self, server: Server) -> None:
        self.place = server
        self._con: psycopg.Connection[Any] | None = None
        self._is_watched = False

    def check(self) -> None:
        """Connect; raises `DatabaseError` where that cannot be done."""
        self.look()

    def is_file(self, target: Path) -> bool:
        """It is none."""
        return False

    def look(self) -> ServerLook:
        """Ask which transactions have ended."""
        import psycopg

        if self._con is None:
            self._con = connect(self.place)
            self._con.autocommit = True
        try:
            with served(self.place, self._con):
                found = look(self._con)
        except psycopg.Error as error:
            self._close()
            said = str(error).strip().splitlines()[0]
            raise DatabaseError(f"PostgreSQL gave up: {said}", path=self.place.name) from None
        if not self._is_watched:
            self._close()
        return found

    look_before_copying = look

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Keep the connection of one look for the next."""
        self._is_watched = True
        try:
            yield
        finally:
            self._is_watched = False
            self._close()

    def _close(self) -> None:
        if self._con is not None:
            self._con.close()
            self._con = None

    def room(self, folder: Path) -> int:
        """The size of the database on the server, which is more than SQLite takes for the same rows."""
        with snapshot(self.place) as con:
            return _room(con, folder)

    def copy(self, database: Path, steps: Steps, *, verify: bool, before: Generation | None) -> Copy:
        """Read the rows that were written since the version before onto a copy of it, else all rows."""
        with snapshot(self.place) as con:
            _room(con, database.parent)
            carried, reason = _carried(con, before)
            with steps.step("copy") as told:
                if carried is not None and before is not None:
                    shutil.copyfile(before.database, database)
                done = copying.copy(con, database, told, carried)
            hashes = {}
            if verify:
                with steps.step("verify") as told:
                    hashes = _hashes(con, done, told)
        state: dict[str, object] = {
            "path": self.place.name,
            "kind": _KIND,
            **done.seen.to_json(),
            "tables": done.tables,
        }
        return Copy(state, hashes, (*done.notices, _told(done, reason)), reason)

    @contextmanager
    def held(self) -> Iterator[Path]:
        """A copy in a temporary folder."""
        with tempfile.TemporaryDirectory(prefix="greynb-") as folder:
            database = Path(folder) / "staging.db"
            self.copy(database, Steps(None), verify=False, before=None)
            yield database


def _room(con: psycopg.Connection[Any], folder: Path) -> int:
    ((size,),) = con.execute("SELECT pg_database_size(current_database())").fetchall()
    try:
        check_space(folder, size)
    except DatabaseError as error:
        raise PublishError(error.message, hint="make room there, then run it again") from error
    return int(size)


def _carried(con: psycopg.Connection[Any], before: Generation | None) -> tuple[copying.Before | None, str]:
    """What the version before says of itself, if its file can be carried on; else why not."""
    if before is None or before.manifest is None:
        return None, "there is no version to carry on from"
    source = before.manifest.source
    then, tables = ServerLook.read(source), source.get("tables")
    if source.get("kind") != _KIND or then is None or not isinstance(tables, dict):
        return None, "the version before was not made from PostgreSQL"
    if why := why_not_since(con, then):
        return None, why
    return copying.Before(then, tables), ""


def _told(done: copying.Copied, reason: str) -> str:
    """Say which tables were read how."""
    if reason:
        return f"all rows were read from PostgreSQL: {reason}"
    counts = [
        (len(done.same), "unchanged"),
        (len(done.changed), "by changed rows"),
        (len(done.whole), f"whole ({', '.join(done.whole[:5])})"),
    ]
    read = (f"{n} table{'s' * (n > 1)} {how}" for n, how in counts if n)
    return "read from PostgreSQL: " + ", ".join(read)


def _hashes(con: psycopg.Connection[Any], done: copying.Copied, told: copying.Told) -> dict[str, str | None]:
    """The content hash of each table as the server has it: read once more, and hashed as SQLite stores it."""
    found, _ = relations(con, {name: each["exact"] for name, each in done.tables.items()})
    hashes: dict[str, str | None] = {}
    for number, relation in enumerate(found):
        told(number / len(found))
        names = "\0".join(each.name for each in relation.columns).encode("utf-8", "surrogateescape")
        content = Content(blake2b(names, digest_size=8).hexdigest(), 0, 0)
        for batch in rows(con, relation, relation.columns):
            content = content.changed(len(batch), sum(map(number_of, batch)))
        hashes[relation.name] = str(content)
    return hashes
