from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import nbclient
import nbformat
import pytest

from greynb.databases.duckdb_progress import enable_progress
from greynb.databases.result import Progress
from greynb.notebook.progress import line
from tests.notebook.kernel import Kernel, started

LONG = """
import time
from greynb.notebook.execution import run
from greynb.databases.result import Progress
def long(seconds=1.8):
    return run(lambda: time.sleep(seconds), interrupt=lambda: None,
               progress=lambda: Progress(fraction=0.42, rows=1200), label="analytics")
"""
MAGIC = (
    LONG
    + """
from IPython.core.magic import register_line_cell_magic
@register_line_cell_magic
def analytics(line, cell=None):
    long()
    return 7
"""
)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with started(tmp_path_factory.mktemp("kernel")) as kernel:
        assert kernel.run(MAGIC).error is None
        yield kernel


def test_the_line_names_what_is_known() -> None:
    assert line("analytics", Progress(), 2.04) == "analytics · 2.0 s"
    assert line("analytics", Progress(fraction=0.0), 2.04) == "analytics · 2.0 s"
    assert line("load dogs", Progress(0.421, 12345), 3) == "load dogs · 42 % · 12,345 rows · 3.0 s"


@pytest.mark.parametrize(
    "code", ["%%analytics\nSELECT 1", "%analytics SELECT 1", "x = %analytics SELECT 1\n"]
)
def test_in_a_sql_cell_progress_is_updated_and_leaves_only_the_result(kernel: Kernel, code: str) -> None:
    reply = kernel.run(code)
    assert 1 <= reply.updates <= 5
    assert [output["output_type"] for output in reply.outputs] == ["execute_result"] * (code[0] == "%")


def test_in_a_cell_of_python_earlier_output_stays_and_several_queries_share_one_empty_output(
    kernel: Kernel,
) -> None:
    reply = kernel.run("print('before')\nlong(1.4)\nlong(1.4)\nprint('after')")
    assert reply.stdout == "before\nafter\n"
    assert reply.shown() == [""]


def test_a_short_query_shows_nothing(kernel: Kernel) -> None:
    assert kernel.run("long(0.3)").outputs == []


def test_a_saved_notebook_holds_no_trace_of_it(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(MAGIC), nbformat.v4.new_code_cell("%%analytics\nSELECT 1")]
    )
    nbclient.NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = notebook.cells[1].outputs
    assert [output.output_type for output in outputs] == ["execute_result"]
    assert "progress" not in nbformat.writes(notebook).split("SELECT 1")[1]


def test_a_script_without_a_terminal_writes_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LONG + "long(1.4)"], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_in_a_terminal_the_line_is_erased_at_the_end(tmp_path: Path) -> None:
    import pty

    main, side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", LONG + "long(1.6)"], stdout=side, stderr=side, cwd=tmp_path
    )
    os.close(side)
    written, deadline = b"", time.monotonic() + 30
    while time.monotonic() < deadline:
        if select.select([main], [], [], 0.1)[0]:
            try:
                written += os.read(main, 4096)
            except OSError:
                break
        elif process.poll() is not None:
            break
    os.close(main)
    assert process.wait() == 0
    lines = written.decode().split("\r")
    assert any(text.startswith("analytics · 42 %") for text in lines)
    assert lines[-1] == ""
    assert not lines[-2].strip()


def test_duckdb_tells_its_own_figure_outside_a_kernel() -> None:
    con = duckdb.connect()
    assert enable_progress(con)
    assert con.execute("SELECT current_setting('enable_progress_bar_print')").fetchall() == [(False,)]


def test_in_a_kernel_turning_progress_on_never_raises_and_says_whether_it_is_on(kernel: Kernel) -> None:
    reply = kernel.run(
        "import duckdb, importlib.util\n"
        "from greynb.databases.duckdb_progress import enable_progress\n"
        "con = duckdb.connect()\n"
        "print(enable_progress(con) == (importlib.util.find_spec('ipywidgets') is not None))\n"
        "print(con.execute('SELECT 1').fetchall())"
    )
    assert reply.stdout == "True\n[(1,)]\n"
