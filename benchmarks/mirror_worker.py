"""One fresh process, one task of mirror.py; prints what it found as JSON. Times are in seconds."""

from __future__ import annotations

import contextlib
import io
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mirror_data
import mirror_tasks
from answers import plain
from contenders import CONTENDERS, Contender
from queries import QUERIES

ENOUGH = 0.6
"""Seconds that a question is asked again in, to have a median without the first time."""
MOST = 5


class Notebook:
    """A shell that one contender was set up in."""

    def __init__(self, folder: Path, contender: Contender) -> None:
        from IPython.core.interactiveshell import InteractiveShell

        from greynb.databases.extension import extension_path

        self._contender = contender
        self._shell = InteractiveShell.instance()
        names = {"file": folder / contender.target, "native": folder / "native.duckdb"}
        for cell in contender.set_up:
            self._run(cell.format(**names, extension=extension_path()))
        self._ask = contender.ask.replace("{file}", str(names["file"]))

    def ask(self, sql: str) -> float:
        """Run the cell of a question, and give the seconds that it took."""
        if self._contender.fresh:
            self._run("%unload_ext greynb")  # closes its sessions
            self._run("%load_ext greynb")
        cell = self._ask.replace("{sql}", sql)
        begun = time.perf_counter()
        self._run(cell)
        return time.perf_counter() - begun

    @property
    def answer(self) -> Any:
        """The frame that the last cell left."""
        return self._shell.user_ns["df"]

    def _run(self, cell: str) -> None:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            self._shell.run_cell(cell, store_history=False).raise_error()


def answers(folder: Path, name: str) -> dict[str, Any]:
    """Ask each question once, and keep what came back."""
    found: dict[str, Any] = {"answers": {}, "failed": {}}
    for query, sql, notebook in _asked(folder, name):
        try:
            notebook.ask(sql)
            found["answers"][query] = plain(notebook.answer)
        except Exception as error:
            found["failed"][query] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return found


def times(folder: Path, name: str, *left_out: str) -> dict[str, Any]:
    """Ask each question again and again for a moment: the median but for the first time, and peak memory."""
    found = {}
    for query, sql, notebook in _asked(folder, name):
        if query not in left_out:
            notebook.ask(sql)
            taken = [notebook.ask(sql)]
            while sum(taken) < ENOUGH and len(taken) < MOST:
                taken.append(notebook.ask(sql))
            found[query] = statistics.median(taken)
    return {"times": found, "megabytes": mirror_tasks.peak()}


def _asked(folder: Path, name: str) -> Iterator[tuple[str, str, Notebook]]:
    asked = json.loads((folder / "asked.json").read_text())
    notebook = Notebook(folder, CONTENDERS[name])
    for query in QUERIES:
        yield query.name, query.sql.format(**asked).strip(), notebook


TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    "answers": answers,
    "times": times,
    **{each.__name__: each for each in (mirror_data.make, mirror_data.publish)},
    **{each.__name__: each for each in (mirror_data.publish_twice, mirror_data.native)},
    **mirror_tasks.TASKS,
}


def main() -> None:
    """Run the task that the command line names, in the folder that it names."""
    name, folder, *arguments = sys.argv[1:]
    print(json.dumps(TASKS[name](Path(folder), *arguments)))


if __name__ == "__main__":
    main()
