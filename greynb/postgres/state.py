"""What a PostgreSQL database is now, for the status: its version, its size, and who is at work on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from greynb.databases.lockers import Locker
from greynb.errors import GreynbError
from greynb.postgres.connecting import connect

if TYPE_CHECKING:
    from greynb.routing import Server

# A session has a transaction's number (backend_xid) from its first write on; of other users' sessions it is
# hidden. https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
_WORKING: Final = """
SELECT pid, coalesce(nullif(application_name, ''), usename::text, 'name unknown'), backend_xid IS NOT NULL
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
  AND (backend_xid IS NOT NULL OR state = 'active')
ORDER BY pid
"""


@dataclass(frozen=True, slots=True)
class ServerState:
    """What was seen of a database.

    Attributes
    ----------
    version
        For example ``"PostgreSQL 15.6"``; empty where it could not be asked.
    bytes
        What the database takes; None where it could not be asked.
    locks
        Sessions that write or read at this moment.
    problem
        Why it could not be asked; empty otherwise.
    """

    version: str = ""
    bytes: int | None = None
    locks: tuple[Locker, ...] = ()
    problem: str = ""


def server_state(server: Server) -> ServerState:
    """Ask a PostgreSQL how it is; a server that does not answer is told, not raised."""
    try:
        with connect(server) as con:
            row = con.execute(
                "SELECT current_setting('server_version'), pg_database_size(current_database())"
            ).fetchone()
            assert row is not None
            working = con.execute(_WORKING).fetchall()
    except GreynbError as error:
        return ServerState(problem=error.message)
    # Debian's version ends in the name of the package.
    version = f"PostgreSQL {str(row[0]).split()[0]}"
    locks = tuple(Locker(pid, name, "writing" if writes else "reading") for pid, name, writes in working)
    return ServerState(version, int(row[1]), locks)
