from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.notebook.kernel import Kernel, started

SETUP = """
import sqlite3, duckdb, threading
from greynb.notebook.execution import run
duck = duckdb.connect()
lite = sqlite3.connect(":memory:", check_same_thread=False)
LONG = {
    duck: "SELECT sum(sin(i) * cos(j)) FROM range(300000) a(i), range(300000) b(j)",
    lite: "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
}
def query(con, sql):
    return run(
        lambda: con.execute(sql).fetchall(),
        interrupt=con.interrupt, progress=lambda: None, show_progress=False, label="test",
    )
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with started(tmp_path_factory.mktemp("kernel")) as kernel:
        assert kernel.run(SETUP).error is None
        yield kernel


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["duck", "lite"])
def test_twenty_interrupts_of_twenty_end_the_query_and_leave_the_connection_usable(
    kernel: Kernel, engine: str
) -> None:
    for attempt in range(20):
        reply = kernel.run(f"query({engine}, LONG[{engine}])", interrupt_after=0.25 + 0.01 * attempt)
        assert reply.error == "QueryInterrupted"
        assert reply.seconds < 0.5
        assert kernel.run(f"print(query({engine}, 'SELECT 42'))").stdout == "[(42,)]\n"


@pytest.mark.parametrize("engine", ["duck", "lite"])
def test_an_interrupt_that_the_engine_misses_is_repeated(kernel: Kernel, engine: str) -> None:
    late = f"run(lambda: (__import__('time').sleep(1.0), {engine}.execute(LONG[{engine}]).fetchall()),"
    reply = kernel.run(
        f"{late} interrupt={engine}.interrupt, progress=lambda: None, label='test')", interrupt_after=0.4
    )
    assert reply.error == "QueryInterrupted"
    assert reply.seconds < 1.5
    assert kernel.run(f"print(query({engine}, 'SELECT 42'))").stdout == "[(42,)]\n"


def test_a_second_interrupt_while_the_first_is_at_work_changes_nothing(kernel: Kernel) -> None:
    twice = """
import signal, time
ended = []
def stubborn():
    time.sleep(1.0)
    ended.append(True)
def interrupt():
    signal.raise_signal(signal.SIGINT)
try:
    run(stubborn, interrupt=interrupt, progress=lambda: None, label="test")
except BaseException as error:
    print(type(error).__name__, ended, error)
"""
    reply = kernel.run(twice, interrupt_after=0.4)
    assert reply.error is None
    assert reply.stdout.startswith("QueryInterrupted [True]")
    assert "had finished" in reply.stdout


def test_no_thread_is_left_after_interrupts(kernel: Kernel) -> None:
    kernel.run("query(duck, LONG[duck])", interrupt_after=0.2)
    before = kernel.run("print(threading.active_count())").stdout
    kernel.run("query(duck, LONG[duck])", interrupt_after=0.2)
    assert kernel.run("print(threading.active_count())").stdout == before
