"""Connection strings for DuckDB, which shows them to everyone who asks: so the password is not in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import duckdb

from greynb.databases.identifiers import literal, quote
from greynb.errors import DatabaseError
from greynb.postgres.connecting import completed

if TYPE_CHECKING:
    from greynb.routing import Server


_MARKED: Final = "tcp_user_timeout"
_NEVER: Final = 86_400_000
_marks: dict[Server, int] = {}


def mark_of(server: Server) -> int:
    """What tells DuckDB's connections to a server from all others of this process.

    It is the time-out, in ms, that the kernel keeps for each socket: a few more than the address or greynb
    says, by another number for each server.
    """
    given = int(completed(server)[_MARKED]) or _NEVER
    return given + _marks.setdefault(server, len(_marks) + 1)


def attachable(con: duckdb.DuckDBPyConnection, server: Server, secret: str, **more: str) -> str:
    """Keep a server's password as a secret of the engine, and return how to connect with that.

    Parameters
    ----------
    con
        An instance that knows PostgreSQL.
    server
        The database.
    secret
        The name of the secret.
    more
        Further parameters of the connection.

    Returns
    -------
    str
        For ``ATTACH``, in libpq's form ``host='…' dbname='…'``.

    Raises
    ------
    DatabaseError
        DuckDB refuses the password.
    """
    values = completed(server) | {_MARKED: mark_of(server)} | more
    failed = _keep(con, secret, values.pop("password", None))
    if failed:
        raise DatabaseError(f"DuckDB cannot attach the server: {failed}", path=server.name)
    return _joined(values)


def named(text: str, server: Server) -> str:
    """Put a server's name where a text repeats how to connect with it."""
    values = completed(server) | {_MARKED: mark_of(server)}
    values.pop("password", None)
    return text.replace(_joined(values), server.name)


def _keep(con: duckdb.DuckDBPyConnection, secret: str, password: str | None) -> str:
    """Make the secret; returns what failed, for a frame that does not know the password."""
    named = f", PASSWORD {literal(str(password))}" if password else ""
    try:
        con.execute(f"CREATE OR REPLACE TEMPORARY SECRET {quote(secret)} (TYPE postgres{named})")
    except duckdb.Error as error:
        return type(error).__name__
    return ""


def _joined(values: dict[str, Any]) -> str:
    return " ".join(f"{name}={_quoted(str(value))}" for name, value in values.items())


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
