"""One fresh process, one tool: time its loading and its cells, and print the figures as JSON.

Run by compare.py. All times are in milliseconds.
"""

from __future__ import annotations

import contextlib
import io
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from IPython.core.interactiveshell import InteractiveShell

QUERY = "SELECT 1 AS x"
WARM_UP = 30


class Tool(NamedTuple):
    """How a tool is loaded, set up, and asked: a cell into a variable, a line into one, a cell shown."""

    extension: str
    set_up: tuple[str, ...]
    kept: str
    line: str
    shown: str


TOOLS = {
    "greynb": Tool("greynb", (), "%%analytics df\n", "df = %analytics ", "%%analytics\n"),
    "jupysql": Tool(
        "sql",
        (
            "%config SqlMagic.displaycon = False",
            "%config SqlMagic.feedback = 0",
            "%config SqlMagic.autopandas = True",
            "%sql duckdb://",
        ),
        "%%sql df <<\n",
        "df = %sql ",
        "%%sql\n",
    ),
    # Its -o shows the frame as well as keeping it.
    "magic_duckdb": Tool("magic_duckdb", (), "%%dql -o df\n", "df = %dql ", "%%dql\n"),
}


def main() -> None:
    """Measure the tool named on the command line, with that many cells of each kind."""
    if sys.argv[1] == "imports":
        print(json.dumps({"first": _once(_import)}))
        return
    tool, cells = TOOLS[sys.argv[1]], int(sys.argv[2])
    figures: dict[str, float] = {}
    shell = InteractiveShell.instance()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        figures["load"] = _once(lambda: _cell(shell, f"%load_ext {tool.extension}"))
        for line in tool.set_up:
            _cell(shell, line)
        figures["first"] = _once(lambda: _cell(shell, tool.kept + QUERY))
        figures["kept"] = _median(lambda: _cell(shell, tool.kept + QUERY), cells)
        figures["line"] = _median(lambda: _cell(shell, tool.line + QUERY), cells)
        figures["shown"] = _median(lambda: _cell(shell, tool.shown + QUERY), cells)
        figures["bare"] = _median(_bare(shell), cells)
        figures["python"] = _median(lambda: _cell(shell, "x = 1"), cells)
    frame: Any = shell.user_ns["df"]
    assert frame["x"].tolist() == [1], f"{tool.extension} gave {frame!r}"
    print(json.dumps(figures))


def _import() -> None:
    import duckdb  # noqa: F401
    import pandas  # noqa: F401


def _cell(shell: InteractiveShell, text: str) -> None:
    shell.run_cell(text, store_history=False).raise_error()


def _bare(shell: InteractiveShell) -> Callable[[], object]:
    """The same query by DuckDB alone, to the same DataFrame, from a cell of its own."""
    import duckdb

    connection = duckdb.connect()
    shell.user_ns["connection"] = connection
    text = f'df = connection.execute("{QUERY}").df()'
    return lambda: _cell(shell, text)


def _once(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1000


def _median(action: Callable[[], object], times: int) -> float:
    for _ in range(WARM_UP):
        action()
    return statistics.median(_once(action) for _ in range(times))


if __name__ == "__main__":
    main()
