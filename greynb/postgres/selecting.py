"""One SELECT on a PostgreSQL database, which can do nothing but read its tables.

The statement comes from a file that is not trusted. It runs as a cursor (which takes one query that does not
write) of a READ ONLY transaction; what is left are functions with effects outside of the database, such as
``pg_read_file`` or ``pg_terminate_backend``. PostgreSQL marks all of these as volatile, so a statement that
calls anything of a volatile function's name is refused. So is one that calls a stable function of an
extension: ``crosstab`` runs the statement that it is given. See
https://www.postgresql.org/docs/current/xfunc-volatility.html.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from greynb.databases.sqltext import Statement, Token, split_statements, tokens
from greynb.errors import QueryError, QueryInterrupted, WriteRefused
from greynb.postgres.connecting import connect
from greynb.postgres.statements import numbered

if TYPE_CHECKING:
    import pandas as pd

    from greynb.routing import Server

_FIRST: Final = frozenset({"SELECT", "VALUES", "WITH", "TABLE", "("})
_SETTINGS: Final = (
    "SET standard_conforming_strings = on",  # as the tokenizer reads them
    "SET lock_timeout = 10000",
)
_VOLATILE: Final = """
    SELECT DISTINCT p.proname::text FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
    WHERE p.proname = ANY(%s::text[]::name[])
        AND (p.provolatile = 'v' OR p.provolatile = 's' AND l.lanname = 'c')
"""


class PostgresSelect:
    """A connection that only reads.

    Parameters
    ----------
    server
        The database.

    Raises
    ------
    DatabaseError
        It cannot be reached.
    """

    def __init__(self, server: Server) -> None:
        from greynb.postgres.frames import register

        self._stop = threading.Event()
        self._con = connect(server)
        register(self._con)
        self._con.read_only = True
        for setting in _SETTINGS:
            self._con.execute(setting)
        self._con.commit()

    def fetch(self, sql: str, parameters: Mapping[str, object], *, limit: int) -> pd.DataFrame:
        """Run one SELECT.

        Parameters
        ----------
        sql
            The statement, with parameters as ``$name``.
        parameters
            Values by name.
        limit
            The number of rows from which it is stopped.

        Raises
        ------
        WriteRefused
            It is no SELECT, or would do more than read.
        QueryError
            PostgreSQL refused it, or it gives too many rows.
        QueryInterrupted
            `interrupt` was called.
        """
        import psycopg

        from greynb.postgres import faults

        statements = split_statements(sql, "postgresql")
        if len(statements) != 1 or not _reads(statements[0]):
            raise WriteRefused("only a SELECT is run again on staging")
        sent = numbered(statements[0].text, parameters)
        try:
            self._refuse_volatile(_called(statements[0]))
            return self._fetched(sent.sql, sent.values, limit)
        except psycopg.errors.ReadOnlySqlTransaction as error:
            raise WriteRefused(f"it would do more than read: {error.diag.message_primary}") from error
        except psycopg.Error as error:
            if self._stop.is_set():
                raise QueryInterrupted("stopped") from None
            if faults.is_gone(error, self._con):
                raise faults.lost(faults.NOTHING) from error
            raise faults.fault(error, statements[0], 1, sent, dict) from error
        finally:
            with suppress(psycopg.Error):
                self._con.rollback()

    def interrupt(self) -> None:
        """Stop the running statement, also in the server."""
        self._stop.set()
        with suppress(Exception):  # it has ended, or the server is gone
            self._con.cancel_safe(timeout=3.0)

    def close(self) -> None:
        """Close the connection."""
        self._con.close()

    def _fetched(self, sql: str, values: Sequence[object], limit: int) -> pd.DataFrame:
        from psycopg import RawServerCursor

        from greynb.postgres.frames import frame

        with RawServerCursor(self._con, "greynb_again") as cursor:
            cursor.execute(sql, values or None)
            if self._stop.is_set():
                raise QueryInterrupted("stopped")
            found = frame(cursor, most=limit)[0]
        if len(found) >= limit:
            raise QueryError(f"it gives {limit:,} rows or more, many more than were recorded")
        return found

    def _refuse_volatile(self, names: Sequence[str]) -> None:
        found = self._con.execute(_VOLATILE, (list(names),)).fetchall()
        if found:
            called = ", ".join(sorted(name for (name,) in found))
            raise WriteRefused(
                f"it calls {called}, which may do more than read: PostgreSQL marks it as volatile,"
                " or it is an extension's"
            )


def _reads(statement: Statement) -> bool:
    significant = [each for each in tokens(statement.text, "postgresql") if each.significant]
    return significant[0].text.upper() in _FIRST


def _called(statement: Statement) -> list[str]:
    """Every name before an opening bracket, as PostgreSQL spells it; some are keywords.

    Raises
    ------
    WriteRefused
        A name is written in escapes.
    """
    found = [each for each in tokens(statement.text, "postgresql") if each.significant]
    if any(two.text == "&" and three.kind == "quoted" for two, three in pairwise(found)):
        raise WriteRefused('names written as U&"…" are not run again')
    return [
        _spelled(name)
        for name, bracket in pairwise(found)
        if bracket.text == "(" and name.kind in ("name", "quoted")
    ]


def _spelled(name: Token) -> str:
    return name.text[1:-1].replace('""', '"') if name.kind == "quoted" else name.text.lower()
