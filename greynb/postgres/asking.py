"""One question to a PostgreSQL database, on a connection of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greynb.errors import DatabaseError
from greynb.postgres.silence import connected

if TYPE_CHECKING:
    from greynb.routing import Server


def asked(server: Server, sql: str) -> tuple[Any, ...]:
    """The one row that a query gives.

    Raises
    ------
    DatabaseError
        The server cannot be reached, or does not answer.
    """
    with connected(server) as con:
        import psycopg

        try:
            found: tuple[Any, ...] = con.execute(sql).fetchall()[0]
        except psycopg.Error as error:
            said = str(error).strip().splitlines()[0]
            raise DatabaseError(f"PostgreSQL does not say how it is: {said}", path=server.name) from None
    return found
