"""Running a cell's query on a worker thread, with its progress shown meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from greynb.databases.result import Progress
from greynb.databases.waiting import on_worker
from greynb.notebook import running
from greynb.notebook.progress import Meter

T = TypeVar("T")


def run(
    task: Callable[[], T],
    *,
    interrupt: Callable[[], None],
    progress: Callable[[], Progress | None],
    show_progress: bool = True,
    interruptible: bool = True,
    label: str,
) -> T:
    """Run a task on a worker thread and return what it returns, or raise what it raises.

    Parameters
    ----------
    task, interrupt
        As `greynb.databases.waiting.on_worker` takes them.
    progress
        How far the task is; called from this thread a few times a second, once it is long enough to show.
    show_progress
        Whether to show that.
    interruptible
        Off: the task runs on this thread, without progress, and Ctrl-C is left to the engine.
    label
        What is running, for the progress line.

    Raises
    ------
    QueryInterrupted
        The user pressed Ctrl-C. The task has ended when this is raised.
    """
    if not interruptible:
        return task()
    with running.Task(label, progress) as told:
        if not show_progress:
            return on_worker(task, interrupt=interrupt, label=label, tick=told.tick)
        meter = Meter(progress, label)

        def tick() -> None:
            meter.tick()
            told.tick()

        try:
            return on_worker(task, interrupt=interrupt, label=label, tick=tick)
        finally:
            meter.close()
