"""How long Tab takes in a cell over 200 tables of 40 columns, through IPython's completer.

``make bench-completion`` runs it and writes ``benchmarks/results/completion.md``. The first Tab opens the
session that the cells will use; all later ones are what a person waits for.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TABLES, COLUMNS = 200, 40
CELLS = {
    "a table after FROM": "%%analytics\nSELECT * FROM table_1|",
    "columns of an alias": "%%analytics\nSELECT t.| FROM table_7 AS t",
    "a column, with 200 tables and no FROM": "%%analytics\nSELECT column_17|",
    "a column of a CTE over a join": (
        "%%analytics\nWITH a AS (SELECT t.*, u.column_8_1 AS other FROM table_7 t JOIN table_8 u ON true)\n"
        "SELECT oth| FROM a WHERE a.column_7_3 > 0"
    ),
    "a function by its first letters": "%%analytics\nSELECT list_| FROM table_7",
    "a variable": "%%analytics\nSELECT :vari|",
    "a statement of 400 lines": "%%analytics\n"
    + "SELECT column_7_1, -- note\n" * 399
    + "column_7_2| FROM table_7",
    "staging: columns of an alias": "%%staging\nSELECT t.| FROM table_7 AS t",
    "staging: a table after FROM": "%%staging\nSELECT * FROM table_1|",
}


def main() -> int:
    """Measure, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "completion.md")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="greynb-bench-") as folder:
        for variable, name in (("STAGING_DB_PATH", "staging.db"), ("ANALYTICS_DB_PATH", "analytics.db")):
            os.environ[variable] = str(make(Path(folder) / name))
        text = report(measure(args.rounds), args.rounds)
    args.out.write_text(text, encoding="utf-8")
    print(text)
    return 0


def make(path: Path) -> Path:
    """Make a file of many tables."""
    con = sqlite3.connect(path)
    con.execute("BEGIN")
    for table in range(TABLES):
        columns = ", ".join(f"column_{table}_{number} INTEGER" for number in range(COLUMNS))
        con.execute(f"CREATE TABLE table_{table} ({columns})")
    con.commit()
    con.close()
    return path


def measure(rounds: int) -> dict[str, list[float]]:
    """Press Tab in each cell, in turns; seconds, the first one of each role apart."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "greynb")
    shell.user_ns["variable"] = 1
    taken: dict[str, list[float]] = {}
    for first in ("analytics", "staging"):
        taken[f"the first Tab of {first}"] = [press(shell, f"%%{first}\nSELECT * FROM table_1|")]
    time.sleep(1)
    for _ in range(rounds):
        for name, cell in CELLS.items():
            taken.setdefault(name, []).append(press(shell, cell))
    shell.run_line_magic("unload_ext", "greynb")
    return taken


def press(shell: Any, cell: str) -> float:
    """Ask for completions at the bar, and give the seconds."""
    from IPython.core.completer import provisionalcompleter

    at = cell.index("|")
    text = cell[:at] + cell[at + 1 :]
    begun = time.perf_counter()
    with provisionalcompleter():
        while not list(shell.Completer.completions(text, at)):
            pass  # a file that is slow to open: pressed again
    return time.perf_counter() - begun


def report(taken: dict[str, list[float]], rounds: int) -> str:
    """The figures as Markdown."""
    load = os.getloadavg()[0]
    lines = [
        f"# Tab over {TABLES} tables of {COLUMNS} columns",
        "",
        f"Median and slowest of {rounds} presses in ms; {os.cpu_count()} cores, load {load:.1f}.",
        "",
        "| what | median | slowest |",
        "|---|---|---|",
    ]
    for name, seconds in taken.items():
        lines.append(f"| {name} | {statistics.median(seconds) * 1e3:.1f} | {max(seconds) * 1e3:.1f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
