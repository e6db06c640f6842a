"""greynb beside two other SQL magics: what loading costs, and what a cell costs over DuckDB itself.

``make bench`` runs it and writes ``benchmarks/results/cells.md``. Every figure comes from real IPython
shells in fresh processes, the tools taking turns in changing order, so that a busy moment of the
machine hits all of them; medians over the rounds are compared.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
PUBLISHED = "greynb, published"
"""greynb over a version that ``greynb sync`` published, where it else reads a file that stands still."""
PACKAGES = {"greynb": "greynb", PUBLISHED: "greynb", "jupysql": "jupysql", "magic_duckdb": "magic-duckdb"}
IMPORTS = "imports"
"""No tool: importing duckdb and pandas in a fresh process, which the first cell must do."""
RATIOS = {
    "load": ("jupysql", 0.25),
    "overhead": ("magic_duckdb", 0.5),
    "overhead, shown": ("magic_duckdb", 0.5),
}
OVERHEADS = {"overhead": "kept", "overhead, shown": "shown", "overhead, line": "line"}
Figures = dict[str, dict[str, float]]


def main() -> int:
    """Measure, write the results, and say with the exit code whether all targets were met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=9, help="fresh processes per tool")
    parser.add_argument("--cells", type=int, default=200, help="cells of each kind per process")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "cells.md")
    args = parser.parse_args()
    rounds = measure(args.rounds, args.cells)
    figures = {tool: _medians([each[tool] for each in rounds]) for tool in (*PACKAGES, IMPORTS)}
    text = report(figures, args.rounds, args.cells)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(text, encoding="utf-8")
    print(text)
    return 0 if all(found <= limit for _, found, limit in checks(figures)) else 1


def measure(rounds: int, cells: int) -> list[Figures]:
    """Run every tool once per round, each round starting with another one."""
    tools = [*PACKAGES, IMPORTS]
    found: list[Figures] = []
    with tempfile.TemporaryDirectory() as folder:
        environment = _environment(Path(folder))
        for number in range(rounds):
            turn = number % len(tools)
            figures = {tool: _run(tool, cells, environment) for tool in tools[turn:] + tools[:turn]}
            found.append(figures)
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return found


def report(figures: Figures, rounds: int, cells: int) -> str:
    """The results as Markdown."""
    rows = {
        "`%load_ext`, ms": "load",
        "first cell after it, ms": "first",
        "bare DuckDB call to a DataFrame, ms": "bare",
        "**over it:** a cell into a variable, ms": "overhead",
        "a cell shown, ms": "overhead, shown",
        "a line into a variable, ms": "overhead, line",
        "for scale: a cell `x = 1`, ms": "python",
    }
    lines = [
        "# Loading and cells",
        "",
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {_processor()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in ("ipython", "pandas", "duckdb"))
        + ".",
        f"Medians of {rounds} fresh processes per tool, taking turns; {cells} cells of each kind in each.",
        "`SELECT 1 AS x` in `%%analytics df`, `%%sql df <<`, `%%dql -o df` (which also shows it), and so on.",
        "",
        "| | " + " | ".join(f"{tool} {version(name)}" for tool, name in PACKAGES.items()) + " |",
        "|---|" + "---|" * len(PACKAGES),
    ]
    for label, key in rows.items():
        lines.append(f"| {label} | " + " | ".join(f"{figures[tool][key]:.2f}" for tool in PACKAGES) + " |")
    lines += ["", "| | | target | |", "|---|---|---|---|"]
    for label, value, limit in checks(figures):
        lines.append(f"| {label} | {value:.2f} | ≤ {limit} | {'met' if value <= limit else 'missed'} |")
    return "\n".join(lines) + "\n"


def checks(figures: Figures) -> Iterator[tuple[str, float, float]]:
    """What has a limit, the value found, and the limit."""
    for key, (peer, limit) in RATIOS.items():
        ratio = figures["greynb"][key] / figures[peer][key]
        yield f"{key}, greynb to {peer}, ratio", ratio, limit
    yield "overhead, published version, ms", figures[PUBLISHED]["overhead"], 1
    beyond = figures["greynb"]["first"] - figures[IMPORTS]["first"]
    yield "first cell, beyond importing duckdb and pandas, ms", beyond, 600


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    """The median of each figure; the overhead is taken within each process, where it is least noisy."""
    for each in rounds:
        for key, cell in OVERHEADS.items() if "bare" in each else ():
            each[key] = each[cell] - each["bare"]
    return {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}


def _run(tool: str, cells: int, environment: dict[str, str]) -> dict[str, float]:
    command = [sys.executable, str(HERE / "worker.py"), tool.partition(",")[0], str(cells)]
    if tool == PUBLISHED:
        environment = environment | _files(Path(environment["HOME"]))
    done = subprocess.run(
        command, env=environment, cwd=environment["HOME"], stdout=subprocess.PIPE, text=True, check=True
    )
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[0])
    return figures


def _environment(folder: Path) -> dict[str, str]:
    """An empty home, small files for greynb, one of them published, and the peers' usage reports off."""
    files = _files(folder)
    for path in (folder / "analytics.db", files["STAGING_DB_PATH"]):
        connection = sqlite3.connect(path)
        connection.executescript(
            "CREATE TABLE races (race_id TEXT, venue TEXT); INSERT INTO races VALUES ('a', 'RICH')"
        )
        connection.close()
    command = [sys.executable, "-m", "greynb", "sync"]
    subprocess.run(command, env=os.environ | files, stdout=subprocess.DEVNULL, check=True)
    return os.environ | {
        "HOME": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
        "ANALYTICS_DB_PATH": str(folder / "analytics.db"),
        "PLOOMBER_STATS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


def _files(folder: Path) -> dict[str, str]:
    """The two roles of the published version."""
    return {
        "STAGING_DB_PATH": str(folder / "staging.db"),
        "ANALYTICS_DB_PATH": str(folder / "published.db"),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine()
    )


if __name__ == "__main__":
    sys.exit(main())
