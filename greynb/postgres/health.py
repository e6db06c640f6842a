"""What may be wrong with a PostgreSQL database as a role's server: asked at once, for the doctor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from greynb.postgres.asking import asked

if TYPE_CHECKING:
    from greynb.routing import Server

_ASKED: Final = """
    SELECT
        (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()),
        inet_server_addr() IS NULL OR inet_server_addr() <<= '127.0.0.0/8' OR inet_server_addr() = '::1',
        current_user::text,
        (SELECT array_agg(c.relname::text ORDER BY c.relname) FROM pg_class c
         WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND pg_table_is_visible(c.oid)
            AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
            AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)),
        (SELECT array_agg(c.relname::text ORDER BY c.relname) FROM pg_class c
         WHERE c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid)
            AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
            AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')),
        (SELECT pid FROM pg_stat_activity WHERE datname = current_database()
            AND state = 'idle in transaction' ORDER BY xact_start LIMIT 1),
        (SELECT extract(epoch FROM now() - min(xact_start))::float8 FROM pg_stat_activity
         WHERE datname = current_database() AND state = 'idle in transaction')
"""


@dataclass(frozen=True, slots=True)
class Health:
    """What was seen.

    Attributes
    ----------
    encrypted, local
        Whether the connection is encrypted, and whether it stays on this machine.
    user
        The role that the address logs in as.
    keyless, writable
        Tables without a primary key, and those that the role may write to.
    idle_pid, idle
        The session whose transaction has been open and doing nothing for longest, and for how many seconds;
        None and 0 without one.
    """

    encrypted: bool
    local: bool
    user: str
    keyless: tuple[str, ...]
    writable: tuple[str, ...]
    idle_pid: int | None
    idle: float


def health(server: Server) -> Health:
    """Ask a server.

    Raises
    ------
    DatabaseError
        It cannot be reached, or does not answer.
    """
    encrypted, local, user, keyless, writable, pid, idle = asked(server, _ASKED)
    return Health(
        bool(encrypted), bool(local), user, tuple(keyless or ()), tuple(writable or ()), pid, float(idle or 0)
    )
