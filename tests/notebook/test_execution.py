from __future__ import annotations

import contextvars
import threading
import traceback

import pytest

from greynb.notebook.execution import run


def go(task: object) -> object:
    return run(task, interrupt=lambda: None, progress=lambda: None, label="test")  # type: ignore[arg-type]


def test_the_task_runs_on_another_thread_and_its_value_comes_back() -> None:
    assert go(threading.get_ident) != threading.get_ident()


def test_an_error_of_the_task_is_raised_here_with_its_own_traceback() -> None:
    def failing_query() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no") as caught:
        go(failing_query)
    assert "failing_query" in "".join(traceback.format_tb(caught.value.__traceback__))


def test_context_variables_reach_the_task() -> None:
    variable = contextvars.ContextVar("variable", default=0)
    variable.set(7)
    assert go(variable.get) == 7


def test_it_works_from_a_thread_that_is_not_the_main_one() -> None:
    seen: list[object] = []
    thread = threading.Thread(target=lambda: seen.append(go(lambda: 42)))
    thread.start()
    thread.join()
    assert seen == [42]


def test_a_run_inside_a_run_works() -> None:
    assert go(lambda: go(lambda: 1)) == 1


def test_no_thread_is_left() -> None:
    before = threading.active_count()
    for _ in range(20):
        go(lambda: None)
    assert threading.active_count() <= before + 1
