"""Work on a lake that is attached for writing, which whoever waits for it can stop at any moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

import duckdb

from greynb.databases.relations import stop_if_interrupted
from greynb.databases.waiting import on_worker
from greynb.lake.attaching import data_folder
from greynb.lake.committing import refusal
from greynb.lake.silence import connected, cut

if TYPE_CHECKING:
    from greynb.publish.steps import Steps
    from greynb.routing import Server

T = TypeVar("T")

_PATIENCE: Final = 0.5
"""Seconds that the engine has to heed an interrupt before what it waits for is ended."""


def written(
    lake: Server,
    work: Callable[[duckdb.DuckDBPyConnection], T],
    steps: Steps,
    *,
    data_path: str | None = None,
) -> T:
    """Do something with a lake, on a thread of its own.

    Ctrl-C stops it, and so does an exception of who is told the progress, also where a request lasts.

    Parameters
    ----------
    lake
        The lake; made if it is not there.
    work
        What to do, with an engine that has it attached for writing.
    steps
        Told the progress.
    data_path
        The folder for the Parquet files of a lake that is made.

    Raises
    ------
    PublishError, DatabaseError
        The lake cannot be attached or written.
    QueryInterrupted
        Ctrl-C; a transaction that was open is undone.
    """
    attached: list[tuple[duckdb.DuckDBPyConnection, str]] = []
    stopped: list[float] = []

    def task() -> T:
        with _explained(lake), ExitStack() as stack:
            with steps.step("attach"):
                con = stack.enter_context(connected(lake, writing=True, data_path=data_path))
            attached.append((con, data_folder(con)))
            with _explained(lake):
                return work(con)

    def interrupt() -> None:
        stopped.append(time.monotonic())
        for con, folder in attached:
            con.interrupt()
            if stopped[-1] - stopped[0] > _PATIENCE:
                cut(lake, folder)

    return on_worker(task, interrupt=interrupt, label="writing the DuckLake", tick=steps.repeat)


@contextmanager
def _explained(lake: Server) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        stop_if_interrupted(error)
        raise refusal(error, lake) from error
