"""The magics in a real kernel: interrupts, errors, progress, and what a saved notebook holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.notebook.kernel import Kernel, started
from tests.notebook.shell import make_databases
from tests.scale.server import wait_for

LONG = {
    "analytics": "SELECT sum(sin(i) * cos(j)) FROM range(300000) a(i), range(300000) b(j)",
    "staging": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
}


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("magics")
    lines = [f"{name}={path}" for name, path in make_databases(folder).items()]
    (folder / ".env").write_text("\n".join(lines), encoding="utf-8")
    with started(folder) as kernel:
        forget = "import os; [os.environ.pop(n, None) for n in list(os.environ) if n.endswith('_DB_PATH')]"
        assert kernel.run(forget).error is None
        assert kernel.run("%load_ext greynb").error is None
        for magic in ("analytics", "staging"):  # the first cell of each imports what it needs
            assert kernel.run(f"%%{magic}\nSELECT 1").error is None
        yield kernel


@pytest.mark.slow
@pytest.mark.parametrize("magic", ["analytics", "staging"])
def test_twenty_of_twenty_interrupts_stop_the_cell_within_half_a_second_and_the_next_cell_runs(
    kernel: Kernel, magic: str
) -> None:
    assert kernel.run(f"%%{magic}\nSELECT 1").error is None
    for attempt in range(20):
        reply = kernel.run(f"%%{magic}\n{LONG[magic]}", interrupt_after=0.25 + 0.01 * attempt)
        assert reply.error == "QueryInterrupted"
        assert reply.seconds < 0.5
        after = kernel.run(f"%%{magic}\nSELECT count(*) AS n FROM races")
        assert after.error is None and "1 row" in after.shown()[-1]


def test_an_interrupted_write_leaves_staging_as_it_was(kernel: Kernel) -> None:
    endless = LONG["staging"].replace("SELECT count(*) FROM c", "SELECT x, 'V', NULL, NULL FROM c")
    reply = kernel.run(f"%%staging\nINSERT INTO races {endless}", interrupt_after=0.3)
    assert reply.error == "QueryInterrupted" and "staging: stopped; nothing was written" in reply.traceback
    assert "4" in kernel.run("%%staging\nSELECT count(*) AS n FROM races").shown()[-1]


def test_a_wait_for_a_lock_can_be_interrupted_too(kernel: Kernel) -> None:
    take = "import sqlite3; busy = sqlite3.connect('stage.db'); busy.execute('BEGIN IMMEDIATE')"
    assert kernel.run(take).error is None
    reply = kernel.run("%%staging\nDELETE FROM races", interrupt_after=0.3)
    assert reply.error == "QueryInterrupted" and reply.seconds < 0.5
    assert kernel.run("busy.close()").error is None
    assert kernel.run("%%staging --dry-run\nDELETE FROM races").error is None


def test_a_lock_that_stays_is_an_error_that_says_who_may_hold_it(kernel: Kernel) -> None:
    take = "busy = sqlite3.connect('stage.db'); busy.execute('BEGIN IMMEDIATE')"
    assert kernel.run("%config Greynb.timeout = 1\nimport sqlite3\n" + take).error is None
    reply = kernel.run("%%staging\nDELETE FROM races")
    assert kernel.run("busy.close()\n%config Greynb.timeout = 10").error is None
    assert reply.error == "DatabaseLocked" and reply.seconds < 3
    assert "stage.db" in reply.traceback and "STAGING_DB_PATH" in reply.traceback


def test_an_error_in_a_kernel_is_one_short_block(kernel: Kernel) -> None:
    reply = kernel.run("%%analytics\nSELECT venu FROM races")
    assert reply.error == "QueryError"
    assert "did you mean venue" in reply.traceback and ".env" in reply.traceback
    assert "Traceback" not in reply.traceback and len(reply.traceback.splitlines()) <= 7


def test_a_long_query_shows_progress_and_leaves_no_trace_of_it(kernel: Kernel) -> None:
    reply = kernel.run(f"%%analytics\n{LONG['analytics']}", interrupt_after=2.5)
    assert reply.error == "QueryInterrupted"
    assert reply.updates > 0 and reply.outputs == []


def test_a_result_after_a_second_is_the_only_output(kernel: Kernel) -> None:
    reply = kernel.run(
        "%%analytics\nSELECT count(*) AS n FROM range(60000) a(i), range(60000) b(j) WHERE i <> j"
    )
    assert reply.error is None
    assert len(reply.outputs) == 1 and "3599940000" in reply.shown()[0]


MEMORY = "print(re.search(r'RssAnon:\\s+(\\d+)', open('/proc/self/status').read())[1])"
LARGE = "SELECT max(n) AS n FROM (SELECT row_number() OVER (ORDER BY range % 1000) AS n FROM range(6000000))"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system tells memory otherwise")
@pytest.mark.parametrize(
    "own", ["", "import duckdb; mine = duckdb.connect()"], ids=["alone", "beside-duckdb"]
)
def test_a_kernel_that_idles_gives_back_the_memory_of_its_largest_question(kernel: Kernel, own: str) -> None:
    def memory() -> int:
        return int(kernel.run(MEMORY).stdout)

    assert kernel.run(f"import re; {own}").error is None
    before = memory()
    assert kernel.run(f"%%analytics\n{LARGE}").error is None
    wait_for(lambda: memory() < before + 20_000)  # the question takes 250 MB, and 50 stay without this
