"""The connection that a migration writes through: one transaction, which only one migration has at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from greynb.errors import DatabaseError, GreynbError, UsageError
from greynb.postgres.connecting import connect
from greynb.postgres.snapshot import SETTINGS

if TYPE_CHECKING:
    import psycopg

    from greynb.routing import Server

_LOCK: Final = "SELECT pg_try_advisory_xact_lock(hashtext('greynb migrate'))"
_PATIENCE: Final = 10.0
"""Seconds in which the server ends the session of a migration that was killed."""


@contextmanager
def writing(server: Server) -> Iterator[psycopg.Connection[Any]]:
    """A connection inside a transaction; it is rolled back at the end of the block unless committed in it.

    Raises
    ------
    DatabaseError
        The server cannot be reached, refuses, or is lost; or another migration is at work.
    UsageError
        The database cannot hold every text.
    """
    import psycopg
    from psycopg import errors

    try:
        with connect(server) as con:
            for setting in (*SETTINGS, "SET client_encoding = 'UTF8'", "SET lock_timeout = '10s'"):
                con.execute(setting)
            con.commit()
            with suppress(psycopg.Error):  # since PostgreSQL 14: it notices when this program is killed
                con.execute("SET client_connection_check_interval = '1s'")
            con.commit()
            _alone(con, server)
            yield con
            con.rollback()
    except errors.InsufficientPrivilege as error:
        raise DatabaseError(
            f"PostgreSQL refused: {_said(error)}",
            path=server.name,
            hint="the user must be allowed to create tables, and a schema for what greynb notes of them:"
            " GRANT CREATE ON DATABASE … TO …, GRANT CREATE ON SCHEMA public TO …",
        ) from error
    except psycopg.Error as error:
        raise DatabaseError(
            f"PostgreSQL gave up: {_said(error)}",
            path=server.name,
            hint="run it again: it finds what was kept, which is all or nothing",
        ) from error
    except GreynbError as error:
        raise error.at(path=server.name) from error.__cause__


def _alone(con: psycopg.Connection[Any], server: Server) -> None:
    encoding = con.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise UsageError(
            f"the database's encoding is {encoding}, which does not hold every text",
            path=server.name,
            hint="make one with UTF8: createdb -T template0 -E UTF8 …",
        )
    end = time.monotonic() + _PATIENCE
    while con.execute(_LOCK).fetchall() != [(True,)]:
        if time.monotonic() > end:
            raise DatabaseError(
                "another migration into this database is at work", path=server.name, hint="let it finish"
            )
        time.sleep(0.2)


def _said(error: psycopg.Error) -> str:
    return (error.diag.message_primary or str(error).strip() or type(error).__name__).splitlines()[0]
