"""Connections to a lake on which nothing waits for ever for the server of its catalogue, or of its files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import duckdb

from greynb.databases.heartbeat import attended
from greynb.databases.relations import stop_if_interrupted
from greynb.databases.sockets import end_to
from greynb.lake.attaching import close, data_folder, opened, unreadable
from greynb.lake.storage import addresses, answers
from greynb.postgres.silence import cut_engines, engine_served
from greynb.routing import Server


@contextmanager
def connected(server: Server, **how: Any) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine with a lake attached, as of `opened`, closed at the end of the block."""
    with catalogue_served(server):
        con = opened(server, **how)
        try:
            with files_served(server, data_folder(con)):
                yield con
        finally:
            close(con)


@contextmanager
def reading(server: Server) -> Iterator[duckdb.DuckDBPyConnection]:
    """A lake for the block, which reads it; what DuckDB says there is put into greynb's words.

    Raises
    ------
    DatabaseError
        The lake is not there, or cannot be reached or read.
    """
    with connected(server) as con:
        try:
            yield con
        except duckdb.Error as error:
            stop_if_interrupted(error)
            raise unreadable(error, server) from error


@contextmanager
def served(server: Server, folder: str) -> Iterator[None]:
    """Do not let a block wait for a server of the lake that has fallen silent."""
    with catalogue_served(server), files_served(server, folder):
        yield


def catalogue_served(server: Server) -> AbstractContextManager[object]:
    """The same, for the server of the catalogue alone."""
    return engine_served(server.over) if isinstance(server.over, Server) else ExitStack()


def files_served(server: Server, folder: str) -> AbstractContextManager[object]:
    """The same, for the server of the files alone."""
    if "://" not in folder:
        return ExitStack()
    return attended(lambda: answers(server), lambda: end_to(addresses(server)))


def cut(server: Server, folder: str) -> None:
    """End what the engine waits for on the lake's servers: it hears of no interrupt meanwhile."""
    if "://" in folder:
        end_to(addresses(server))
    if isinstance(server.over, Server):
        cut_engines(server.over)
