"""A PostgreSQL database attached to DuckDB, read-only, with its tables as views; errors hold no password.

The password goes in as a secret of the engine, which shows it to nobody; all else as a connection string.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import duckdb

from greynb.databases.engine import extended_instance, lock
from greynb.databases.extension import has_extension
from greynb.databases.identifiers import literal, quote
from greynb.databases.relations import first_line, stop_if_interrupted
from greynb.errors import DatabaseError, QueryError, UsageError
from greynb.postgres.connecting import connect
from greynb.postgres.secret import attachable

if TYPE_CHECKING:
    from greynb.routing import Server

ALIAS: Final = "__greynb_postgres"
"""The name under which the database is attached; the gate refuses it in statements."""
_SENT: Final = re.compile(r"(?:IO Error: )?Failed to .*ERROR:\s*", re.DOTALL)


class Attached:
    """A DuckDB with the database attached, which can open nothing else.

    Parameters
    ----------
    server
        The database.
    settings
        DuckDB's.

    Raises
    ------
    DatabaseError
        The server cannot be reached or refuses, or DuckDB's extension is missing.
    """

    def __init__(self, server: Server, settings: Mapping[str, str | int]) -> None:
        if not has_extension("postgres_scanner"):
            raise UsageError(
                "analytics on PostgreSQL needs DuckDB's extension, which is not installed",
                hint='pip install "greynb[postgres]"',
            )
        # The driver says in words what is wrong, and in time; DuckDB would print the connection string.
        connect(server).close()
        self._server = server
        self._label = f"greynb-{secrets.token_hex(8)}"
        self.con = extended_instance("postgres_scanner", **settings)
        try:
            self._attach()
        except BaseException:
            self.con.close()
            raise
        lock(self.con, ())

    def cancel(self) -> None:
        """Stop what runs for this engine in the server, which does not hear of DuckDB's interrupt."""
        import psycopg

        with suppress(DatabaseError, psycopg.Error), connect(self._server) as con:
            con.execute(
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = %s AND state = 'active'",
                (self._label,),
            )

    def _attach(self) -> None:
        given = attachable(self.con, self._server, ALIAS, application_name=self._label)
        failed = None
        try:
            options = f"TYPE postgres, SECRET {ALIAS}, READ_ONLY, HIDDEN"
            self.con.execute(f"ATTACH {literal(given)} AS {quote(ALIAS)} ({options})")
        except duckdb.Error as error:
            stop_if_interrupted(error)
            failed = type(error).__name__
        if failed:  # DuckDB's own words repeat the connection string
            raise DatabaseError(f"DuckDB cannot attach the server: {failed}", path=self._server.name)


def said(error: duckdb.Error) -> str:
    """The first line of what DuckDB says of the server, without the query that it sent."""
    return first_line(error).partition('": ERROR:')[2].strip() or first_line(error)


def refused(error: QueryError) -> None:
    """Leave of an error what the server says, without the query that it was sent."""
    error.message, found = _SENT.subn("", error.message)
    if found and "permission denied" in error.message:
        error.hint = "the user of the address lacks the right to; the owner can GRANT SELECT"
