"""A consistent view of a PostgreSQL database for a publication, and what tells two such views apart.

Transactions are numbered, and a row knows the one that wrote it (its system column ``xmin``). A snapshot says
below which number all transactions had ended. So the rows that changed since an earlier snapshot are those
whose number lies between: whoever wrote them, by whatever statement, without a column or trigger for it.

That fails where numbers come again: on another server, after a promotion (a new timeline), after going back
to an old state of the files, and after 2**31 transactions. Files can only be set back while the server is
down. So a look holds when the server was started; and, where the server keeps the moments of commits
(``track_commit_timestamp``), the newest commit and its moment, which no other history has. Where neither
shows that the history went on, all rows are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from greynb.errors import DatabaseError, GreynbError, UnreadableDatabase
from greynb.postgres.connecting import connect
from greynb.postgres.silence import served

if TYPE_CHECKING:
    import psycopg

    from greynb.routing import Server

SETTINGS: Final = (
    "SET timezone = 'UTC'",
    "SET datestyle = 'ISO, YMD'",
    "SET intervalstyle = 'postgres'",
    "SET extra_float_digits = 1",
    "SET bytea_output = 'hex'",
    "SET statement_timeout = 0",
    "SET idle_in_transaction_session_timeout = 0",
)
"""So that a value has one text, whatever the server's or the role's defaults are."""
_SEEN: Final = """
    SELECT (SELECT system_identifier::text FROM pg_control_system()),
        (SELECT timeline_id FROM pg_control_checkpoint()),
        (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
        pg_current_snapshot()::text,
        (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
        CASE WHEN current_setting('track_commit_timestamp') = 'on'
            THEN coalesce((SELECT xid::text || ' ' || (extract(epoch FROM timestamp) * 1000000)::bigint
                           FROM pg_last_committed_xact()), '') ELSE '' END,
        array_to_string(current_schemas(false), ',')
"""
_MOMENT: Final = """
    SELECT (extract(epoch FROM pg_xact_commit_timestamp(%s::xid)) * 1000000)::bigint::text
    WHERE current_setting('track_commit_timestamp') = 'on'
"""
_SET_BACK: Final = "the server's files were set back since the version before"
_RESTARTED: Final = (
    "the server was restarted since the version before, and does not keep the moments of commits"
    " (track_commit_timestamp), which would show that its files were not set back"
)
_GRANT: Final = "GRANT SELECT ON ALL TABLES IN SCHEMA … TO …: all tables of the search path are read"
_WRAP: Final = 2**31


@dataclass(frozen=True, slots=True)
class ServerLook:
    """What a server's database looked like at one moment.

    Attributes
    ----------
    system, timeline
        Which cluster, and how often it was promoted.
    oid
        The database in it.
    snapshot
        Which transactions had ended: ``xmin:xmax:those in between that had not``.
    started
        When the server was started, in µs since 1970.
    newest
        The newest commit's number and moment, likewise; empty where the server does not keep these.
    schemas
        The search path, which says what tables there are.
    """

    system: str
    timeline: int
    oid: int
    snapshot: str
    started: int = 0
    newest: str = ""
    schemas: str = ""

    @property
    def written(self) -> None:
        """When it was last written to: PostgreSQL does not tell."""
        return None

    @property
    def ended(self) -> int:
        """The number below which all transactions had ended."""
        return int(self.snapshot.split(":")[0])

    @property
    def next(self) -> int:
        """The number from which on none had begun."""
        return int(self.snapshot.split(":")[1])

    def to_json(self) -> dict[str, int | str]:
        """The same as plain values."""
        return asdict(self)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> ServerLook | None:
        """The look that a manifest holds; None where it holds none."""
        try:
            # An older version of greynb did not note the search path.
            found = cls(*({"schemas": "", **values}[each.name] for each in fields(cls)))
            return found if found.next >= found.ended else None
        except (KeyError, IndexError, ValueError, TypeError, AttributeError):
            return None

    def why_not_since(self, before: ServerLook) -> str:
        """Why numbers cannot tell which rows changed since an earlier look; empty where they may."""
        if (self.system, self.oid) != (before.system, before.oid):
            return "staging is another database than the version before was made from"
        if self.timeline != before.timeline:
            return "the server was promoted or restored since the version before"
        if self.next < before.next:
            return _SET_BACK
        if self.next - before.ended >= _WRAP:
            return "the version before is too many transactions old"
        return ""


def look(con: psycopg.Connection[Any]) -> ServerLook:
    """Look at a database; inside a transaction, at what that sees."""
    (found,) = con.execute(_SEEN).fetchall()
    return ServerLook(*found)


def why_not_since(con: psycopg.Connection[Any], before: ServerLook) -> str:
    """Why not only the rows that changed since an earlier look can be read; empty where they can.

    Parameters
    ----------
    con
        A connection inside a transaction with the settings of `snapshot`.
    before
        The earlier look.
    """
    now = look(con)
    if why := now.why_not_since(before):
        return why
    if before.newest:
        number, _, moment = before.newest.partition(" ")
        ((found,),) = con.execute(_MOMENT, (number,)).fetchall() or [(None,)]
        if found is not None:
            return "" if found == moment else _SET_BACK
    return "" if now.started == before.started else _RESTARTED


@contextmanager
def snapshot(server: Server) -> Iterator[psycopg.Connection[Any]]:
    """A connection inside one transaction that sees one state of the database and cannot write.

    Raises
    ------
    DatabaseError
        The server cannot be reached, or is lost meanwhile.
    """
    try:
        with connect(server) as con, served(server, con), _explained(server):
            yield _prepared(con)
            with suppress(con.Error):
                con.rollback()
    except GreynbError as error:
        raise error.at(path=server.name) from error.__cause__


def _prepared(con: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    from psycopg import IsolationLevel

    con.isolation_level = IsolationLevel.REPEATABLE_READ
    con.read_only = True
    for setting in SETTINGS:
        con.execute(setting)
    con.commit()
    return con


@contextmanager
def _explained(server: Server) -> Iterator[None]:
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        said = (error.diag.message_primary or str(error).strip()).splitlines()[0]
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            raise UnreadableDatabase(
                f"PostgreSQL refused: {said}", path=server.name, role="staging", hint=_GRANT
            ) from error
        raise DatabaseError(f"PostgreSQL gave up: {said}", path=server.name, role="staging") from error
