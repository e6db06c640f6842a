"""Connections to PostgreSQL: made within seconds or not at all, with errors that hold no password.

An address is completed by libpq as usual: ``PG*`` variables, ``~/.pgpass``, a service file.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, Final

from greynb.errors import DatabaseError, GreynbError, MissingDatabase, UnreadableDatabase, UsageError

if TYPE_CHECKING:
    import psycopg

    from greynb.routing import Server

TIMEOUT: Final = 3
"""Seconds that a server may take to accept a connection, unless the address has a ``connect_timeout``."""
_CREDENTIALS: Final = "check user and password: in the address, PGPASSWORD, or ~/.pgpass"
_HINTS: Final = (
    (
        re.compile("too many (?:clients|connections)|connection slots"),
        "all connections are taken: pg_stat_activity lists who has them; max_connections, and a role's or a"
        " database's CONNECTION LIMIT, say how many there may be",
    ),
    (re.compile("starting up|shutting down|recovery|accepting connections"), "try again in a moment"),
    (re.compile("pg_hba"), "a line of pg_hba.conf must let this user in from here"),
    (re.compile("permission denied for database"), "its owner can GRANT CONNECT ON DATABASE … TO …"),
)
"""What to do about a refusal that is not about the password."""
_UNHEARD: Final = logging.NullHandler()
_DEFAULTS: Final = {
    "connect_timeout": TIMEOUT,
    "application_name": "greynb",
    # A machine that has gone without a word is noticed in 8 s, not in hours.
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 8_000,
}
_ENCODING: Final = {"client_encoding": "UTF8"}
"""Whatever the database's is: the server converts, and refuses what it cannot hold."""


def connect(server: Server) -> psycopg.Connection[Any]:
    """Open a connection; ``with`` commits (or rolls back after an error) and closes it.

    Parameters
    ----------
    server
        Which PostgreSQL.

    Raises
    ------
    MissingDatabase
        The server is there, and has no such database.
    UnreadableDatabase
        It refuses the user or the password.
    DatabaseError
        It cannot be reached, or not in time.
    UsageError
        psycopg is not installed.
    """
    made = _attempt(server)
    if isinstance(made, GreynbError):
        # Here no frame of the traceback knows the password.
        raise made
    return made


def answers(server: Server) -> bool:
    """Whether a server says anything to a new connection in time, be it that it refuses.

    One that nobody listens at counts: TCP tells those who wait for it already.
    """
    import psycopg

    given = completed(server) | {"application_name": "greynb heartbeat"}
    try:
        psycopg.connect(**given).close()
    except psycopg.errors.ConnectionTimeout:
        return False
    except psycopg.Error:
        return True
    return True


def completed(server: Server) -> dict[str, Any]:
    """The parameters of a connection, with the password if the address has one: not for showing."""
    from psycopg.conninfo import conninfo_to_dict

    return _DEFAULTS | conninfo_to_dict(server.address) | _ENCODING


def _attempt(server: Server) -> psycopg.Connection[Any] | GreynbError:
    """Connect, or say why that failed."""
    try:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict
    except ImportError:
        return UsageError(
            "PostgreSQL needs psycopg, which is not installed", hint='pip install "greynb[postgres]"'
        )
    # What it logs of a lost connection stands in the error; without a handler Python would print it, too.
    logging.getLogger("psycopg").addHandler(_UNHEARD)
    try:
        given = conninfo_to_dict(server.address)
    except psycopg.ProgrammingError:
        # libpq's sentence may quote a part of the address.
        return DatabaseError(
            "libpq does not understand the address", path=server.name, hint="check its parameters"
        )
    try:
        return psycopg.connect(**(_DEFAULTS | given | _ENCODING), prepare_threshold=None)  # type: ignore[arg-type]
    except psycopg.Error as error:
        return _refusal(error, given, server)


def _refusal(error: psycopg.Error, given: dict[str, Any], server: Server) -> GreynbError:
    place = _place(given)
    said = _without(str(given.get("password") or ""), str(error))
    reason = said.strip().splitlines()[0].rpartition("failed: ")[2].removeprefix("FATAL:  ").strip()
    if "timeout" in said:
        return DatabaseError(
            f"PostgreSQL at {place} did not answer in {given.get('connect_timeout', TIMEOUT)} s",
            path=server.name,
            hint="is that the right host and port, and does a firewall let it through?",
        )
    if "does not exist" in reason and "database" in reason:
        return MissingDatabase(
            f"PostgreSQL at {place}: {reason}", path=server.name, hint="createdb makes a database"
        )
    if "FATAL" in said or "no password supplied" in said:
        return UnreadableDatabase(
            f"PostgreSQL at {place} refused the connection: {reason}",
            path=server.name,
            hint=next((hint for words, hint in _HINTS if words.search(reason)), _CREDENTIALS),
        )
    return DatabaseError(
        f"PostgreSQL at {place} cannot be reached: {reason}",
        path=server.name,
        hint="is the server running there?",
    )


def _without(password: str, text: str) -> str:
    return text.replace(password, "***") if password else text


def _place(given: dict[str, Any]) -> str:
    """Host and port, from the address or else as libpq completes it."""
    from psycopg import pq

    filled = {each.keyword.decode(): each.val.decode() for each in pq.Conninfo.get_defaults() if each.val}
    host = given.get("host") or given.get("hostaddr") or filled.get("host") or "the local socket"
    return f"{host}:{given.get('port') or filled.get('port', '5432')}"
