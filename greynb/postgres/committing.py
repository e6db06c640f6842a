"""The end of a cell's transaction: its commit, or what a dry run does in its place; and what came of it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from greynb.databases.sqltext import Statement
from greynb.errors import GreynbError
from greynb.postgres.silence import connected
from greynb.postgres.statements import Numbered

if TYPE_CHECKING:
    import psycopg

    from greynb.routing import Server


def end(con: psycopg.Connection[Any], server: Server, *, dry_run: bool) -> None:
    """Commit, or check what a commit would check and roll back.

    Raises
    ------
    QueryError
        A deferred constraint is broken; nothing was written.
    DatabaseError
        The connection broke; the message says what came of the transaction.
    """
    import psycopg

    number = None
    try:
        if dry_run:
            con.execute("SET CONSTRAINTS ALL IMMEDIATE")
            con.execute("ROLLBACK")
            return
        number = transaction_number(con)
        con.execute("COMMIT")
    except psycopg.Error as error:
        raise _failure(error, con, server, number) from error


def _failure(
    error: psycopg.Error, con: psycopg.Connection[Any], server: Server, number: str | None
) -> GreynbError:
    from greynb.postgres import faults

    if faults.is_gone(error, con):
        con.close()
        return faults.lost(faults.NOTHING if number is None else outcome(server, number))
    failed = faults.fault(error, Statement("COMMIT", 1, 0), 0, Numbered("COMMIT", (), ()), dict)
    failed.message = failed.message.replace("statement 0", "the transaction could not be committed")
    failed.detail = error.diag.message_detail
    return failed


def transaction_number(con: psycopg.Connection[Any]) -> str | None:
    """The number of the running transaction; None where it has written nothing."""
    ((number,),) = con.execute("SELECT pg_current_xact_id_if_assigned()::text").fetchall()
    return None if number is None else str(number)


def outcome(server: Server, number: str) -> str:
    """Say what came of a transaction whose commit had no answer: the server remembers it.

    Parameters
    ----------
    server
        Which.
    number
        Of the transaction, from `transaction_number`.
    """
    import psycopg

    from greynb.postgres import faults

    with suppress(GreynbError, psycopg.Error), connected(server) as con:
        ((status,),) = con.execute("SELECT pg_xact_status(%s::xid8)", (number,)).fetchall()
        if status == "committed":
            return "it had been committed: all of it was written"
        if status == "aborted":
            return faults.NOTHING
    return faults.UNKNOWN
