"""What ``greynb status`` says of a PostgreSQL database, and what its doctor looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from greynb.postgres.asking import asked

if TYPE_CHECKING:
    from greynb.routing import Server

# Of the sessions of other roles, a plain user is told that they are there and nothing more.
_ASKED: Final = """
    SELECT current_setting('server_version'), pg_database_size(current_database()),
        count(*) FILTER (WHERE pid <> pg_backend_pid()),
        count(*) FILTER (WHERE pid <> pg_backend_pid() AND state = 'active'),
        coalesce(
            extract(epoch FROM max(now() - xact_start) FILTER (WHERE state = 'idle in transaction')), 0
        )::float8
    FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
"""
_LONG: Final = 5.0
"""Seconds from which a transaction that does nothing is told of."""


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """A PostgreSQL database as it is now.

    Attributes
    ----------
    version
        Of the server.
    bytes
        Size of the database.
    sessions, active
        Other connections to it, and those that run something.
    idle
        Seconds since the oldest transaction began that is open and does nothing; 0 without one.
    """

    version: str
    bytes: int
    sessions: int
    active: int
    idle: float

    def __str__(self) -> str:
        idle = f", a transaction open for {self.idle:,.0f} s doing nothing" if self.idle >= _LONG else ""
        kind = f"PostgreSQL {self.version.split()[0]}"
        return f"{kind} · {self.sessions} other connections, {self.active} active{idle}"


def examined(server: Server) -> ServerStatus:
    """Ask a server.

    Raises
    ------
    DatabaseError
        It cannot be reached, or does not answer.
    """
    return ServerStatus(*asked(server, _ASKED))
