"""A notebook runs in a kernel of this Python, and says in few words what went wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from greynb.errors import UsageError
from greynb.report import NotebookFailed, execute_notebook, notebook
from greynb.report.recording import sources_of
from tests.notebook.shell import make_databases


def saved(tmp_path: Path, *sources: str) -> Path:
    path = tmp_path / "some.ipynb"
    cells = [new_markdown_cell("# Title"), *(new_code_cell(source) for source in sources)]
    nbformat.write(new_notebook(cells=cells), path)
    return path


def test_it_runs_in_this_python_with_the_folder_and_variables_given(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    path = saved(
        tmp_path,
        "import os, sys",
        "[sys.executable, os.getcwd(), os.environ['GREYNB_T'], len(os.environ) > 1]",
    )
    before = path.read_bytes()
    done = execute_notebook(
        path,
        cwd=tmp_path,
        env={"GREYNB_T": "a ${HOME} b"},
        progress=lambda step, share: told.append((step, share)),
    )
    shown = done.cells[2].outputs[0].data["text/plain"]
    assert (
        repr(sys.executable) in shown and repr(str(tmp_path.resolve())) in shown and shown.endswith("True]")
    )
    assert path.read_bytes() == before
    assert told[0] == ("some.ipynb: cell 1 of 3", 0.0) and told[-1] == ("some.ipynb: cell 3 of 3", 1.0)


def test_a_failing_cell_is_named_and_stops_the_notebook(tmp_path: Path) -> None:
    path = saved(tmp_path, "x = 1", "y = x / 0\nz = 2", f"open({str(tmp_path / 'made')!r}, 'w')")
    with pytest.raises(NotebookFailed) as caught:
        execute_notebook(path, cwd=tmp_path)
    text = str(caught.value)
    assert "cell 3" in text and "y = x / 0" in text and "ZeroDivisionError: division by zero" in text
    assert "Traceback" not in text and "\x1b" not in text
    assert not (tmp_path / "made").exists()


def test_the_failing_cell_is_named_by_its_number_in_the_file_and_no_other(tmp_path: Path) -> None:
    cells = [
        new_code_cell("n = 1", metadata={"tags": ["parameters"]}),
        new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]}),
        new_code_cell("raise ValueError(n)"),
        new_code_cell("2", outputs=[new_output("error", ename="Old", evalue="error", traceback=[])]),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "n.ipynb")
    told: list[str] = []
    with pytest.raises(NotebookFailed, match=r"(?s)^cell 3 .*ValueError: 7") as caught:
        execute_notebook(
            tmp_path / "n.ipynb",
            cwd=tmp_path,
            parameters={"n": 7},
            progress=lambda step, _: told.append(step),
        )
    assert "ZeroDivision" not in str(caught.value) and "Old" not in str(caught.value)
    assert told == [f"n.ipynb: cell {number} of 4" for number in (1, 2, 3)]


def test_what_an_earlier_run_left_is_no_result_of_this_one(tmp_path: Path) -> None:
    old = [new_output("execute_result", {"text/plain": "old"})]
    cells = [
        new_code_cell("n = 1", metadata={"tags": ["parameters"]}),
        new_code_cell("n = 2", metadata={"tags": ["injected-parameters"]}),
        new_code_cell("n", outputs=old, metadata={"tags": ["skip-execution"]}),
        new_code_cell("n"),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "n.ipynb")
    done = execute_notebook(tmp_path / "n.ipynb", cwd=tmp_path, parameters={"n": 7})
    assert done.cells[2].outputs == [] and done.cells[3].outputs[0].data["text/plain"] == "7"


def test_a_kernel_that_dies_is_reported(tmp_path: Path) -> None:
    with pytest.raises(NotebookFailed, match="died"):
        execute_notebook(saved(tmp_path, "import os; os._exit(3)"), cwd=tmp_path)


def test_shipped_notebooks_are_found_by_name_and_others_refused() -> None:
    assert notebook("evaluation.ipynb").is_file()
    with pytest.raises(UsageError, match="no notebook"):
        notebook("nothing.ipynb")


def test_an_executed_notebook_carries_the_sources_of_its_results(tmp_path: Path) -> None:
    env = make_databases(tmp_path)
    path = saved(tmp_path, "%load_ext greynb", "%%analytics df\nSELECT count(*) AS n FROM races", "df.n[0]")
    done = execute_notebook(path, cwd=tmp_path, env=env)
    (source,) = sources_of(done)
    assert (source.sql, source.values) == ("SELECT count(*) AS n FROM races", [[4]])
    assert done.cells[3].outputs[0].data["text/plain"].endswith("4)")
