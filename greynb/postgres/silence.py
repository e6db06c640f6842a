"""Connections to PostgreSQL on which nothing waits for ever: a server that falls silent ends the wait."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from greynb.databases.heartbeat import attended
from greynb.databases.sockets import end_marked
from greynb.postgres.connecting import answers, connect
from greynb.postgres.secret import mark_of

if TYPE_CHECKING:
    import psycopg

    from greynb.routing import Server


_PATIENCE: Final = 5.0
"""Seconds that the server has to stop a statement before the connection is ended."""


@contextmanager
def connected(server: Server) -> Iterator[psycopg.Connection[Any]]:
    """A connection as of `connect`, closed at the end of the block, in which nothing waits for ever."""
    with connect(server) as con, served(server, con):
        yield con


def served(server: Server, con: psycopg.Connection[Any]) -> AbstractContextManager[None]:
    """Do not let a block wait on a connection for a server that has fallen silent."""
    return attended(lambda: answers(server), lambda: cut(con))


def engine_served(server: Server) -> AbstractContextManager[None]:
    """The same for a block in which DuckDB waits for the server."""
    return attended(lambda: answers(server), lambda: cut_engines(server))


def stop(con: psycopg.Connection[Any], waited: float) -> None:
    """Stop what runs on a connection, in the server; call it again until that has ended.

    Parameters
    ----------
    con
        The connection.
    waited
        Seconds since the first call. After some the server is not obeying, and the connection is ended.
    """
    if waited > _PATIENCE:
        cut(con)
        return
    with suppress(Exception):  # it has ended, or the server is gone
        con.cancel_safe(timeout=_PATIENCE / 2)


def cut(con: psycopg.Connection[Any]) -> None:
    """End a connection under the statement that waits on it."""
    with suppress(OSError, ValueError), socket.socket(fileno=socket.dup(con.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def cut_engines(server: Server) -> None:
    """End all of DuckDB's connections to a server."""
    end_marked(mark_of(server))
