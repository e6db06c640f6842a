"""Twelve questions of race analysts asked through greynb and eight other ways, on files of three sizes.

``make bench-mirror`` runs it and writes ``benchmarks/results/mirror.md`` and ``.svg``; ``ARGS=--quick`` for
the smallest file alone. The databases are seasons of ``greynb demo``, made in a temporary folder and removed.
All answers are compared first. Then every contender asks all questions in a process of its own, once a round,
the contenders taking turns in changing order. This process stays small: a child's peak of memory begins at
its parent's.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from answers import difference
from contenders import CONTENDERS
from mirror_report import Figures, draw, report

HERE = Path(__file__).parent
RACES_PER_MB = 167
REFERENCE = "native"
TASKS = (
    *("cached", "first_cell", "imports", "load", "to_sql", "to_sql_engine", "executemany"),
    *("copy_database", "mirror"),
)
"""What is measured beside the questions, in `mirror_tasks`."""


def main() -> int:
    """Measure, write the results, and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3, help="fresh processes per contender")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 500, 2000], help="MB; judged at 500")
    parser.add_argument("--quick", action="store_true", help="the smallest size alone")
    parser.add_argument("--folder", type=Path, help="where the databases are made; default: TMPDIR")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "mirror.md")
    args = parser.parse_args()
    sizes = sorted(args.sizes)[:1] if args.quick else sorted(args.sizes)
    middle = min(sizes, key=lambda size: abs(size - 500))
    found = Figures()
    for size in sizes:
        folder = Path(tempfile.mkdtemp(prefix="greynb-bench-", dir=args.folder))
        try:
            measure(folder, size, args.rounds, found, extras=size == middle)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    draw(found, args.out.with_suffix(".svg"))
    text = report(found, args.rounds)
    args.out.write_text(text, encoding="utf-8")
    print(text)
    return 0


def measure(folder: Path, size: int, rounds: int, found: Figures, *, extras: bool) -> None:
    """Everything that is measured on a file of one size."""

    def work(task: str, *arguments: str, target: str = "analytics.db") -> dict[str, Any]:
        return worker(folder, target, task, *arguments)

    megabytes = work("make", str(size * RACES_PER_MB))["megabytes"]
    say(f"{megabytes:,.0f} MB are made")
    for task in ("publish", "publish_twice", "native"):
        say(f"{task}: {work(task).get('seconds', 0):.1f} s")
    failed = agree(work)
    found.failed[megabytes] = failed
    names = list(CONTENDERS)
    taken: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            taken[name].append(work("times", name, *failed[name], target=CONTENDERS[name].target))
        say(f"round {number + 1} of {rounds}")
    found.times[megabytes] = {
        name: {query: statistics.median(each["times"][query] for each in of) for query in of[0]["times"]}
        for name, of in taken.items()
    }
    found.memory[megabytes] = {name: max(each["megabytes"] for each in of) for name, of in taken.items()}
    if extras:
        found.extras = beside(work, rounds)
        found.middle = megabytes


def agree(work: Callable[..., dict[str, Any]]) -> dict[str, dict[str, str]]:
    """Ask every contender everything once, and give what it cannot answer, or answers otherwise.

    Raises
    ------
    RuntimeError
        It is greynb or the native file that cannot.
    """
    given = {name: work("answers", name, target=each.target) for name, each in CONTENDERS.items()}
    reference = given[REFERENCE]["answers"]
    failed: dict[str, dict[str, str]] = {}
    for name, found in given.items():
        failed[name] = dict(found["failed"])
        for query, answer in found["answers"].items():
            if apart := difference(reference[query], answer):
                failed[name][query] = f"another answer: {apart}"
    own = [name for name, each in CONTENDERS.items() if each.package == "greynb"]
    if any(failed[name] for name in (REFERENCE, *own)):
        raise RuntimeError(f"answers that must be right are not: {failed}")
    say("all answers that there are agree" if not any(failed.values()) else f"peers fail: {failed}")
    return failed


def beside(work: Callable[..., dict[str, Any]], rounds: int) -> dict[str, float]:
    """The result cache, the cost of a cell, loading, making a mirror: medians over the rounds."""
    taken: dict[str, list[dict[str, Any]]] = {task: [] for task in (*TASKS, "cell")}
    for _ in range(rounds):
        for task in TASKS:
            taken[task].append(work(task))
        taken["cell"].append(work("greynb", "200"))
    say("what is beside the questions is measured")
    return {
        f"{task} {key}": statistics.median(each[key] for each in of)
        for task, of in taken.items()
        for key in of[0]
    }


def worker(folder: Path, target: str, task: str, *arguments: str) -> dict[str, Any]:
    """Run one task in a fresh process, in an empty home, over the databases of the folder."""
    # worker.py is the one of compare.py; its figures are in milliseconds.
    script = (
        [str(HERE / "worker.py"), task]
        if task == "greynb"
        else [str(HERE / "mirror_worker.py"), task, str(folder)]
    )
    environment = os.environ | {
        "HOME": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
        "STAGING_DB_PATH": str(folder / ("stage.db" if task == "load" else "staging.db")),
        "ANALYTICS_DB_PATH": str(folder / target),
        "PLOOMBER_STATS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PYTHONDONTWRITEBYTECODE": "",  # else what pip did not compile is compiled in each process
    }
    done = subprocess.run(
        [sys.executable, *script, *arguments],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    # JupySQL says goodbye after the figures.
    found: dict[str, Any] = json.loads(next(line for line in done.stdout.splitlines() if line[:1] == "{"))
    return found


def say(text: str) -> None:
    """Tell how far it is."""
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
