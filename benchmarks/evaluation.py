"""`greynb.evaluate` beside the collector's way: a loop over the races with three sqlite3 queries for each.

``make bench-evaluation`` runs it and writes ``benchmarks/results/evaluation.md``. Both read the same
published analytics file of one season, in the same run, and their numbers are compared.
"""

from __future__ import annotations

import argparse
import datetime as dt
import math
import os
import platform
import random
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import evaluation_loop as loop

HERE = Path(__file__).parent
INDEX = "CREATE INDEX predictions_race ON predictions (race_id)"
Asking = Callable[[sqlite3.Connection], loop.Ask]


def main() -> int:
    """Measure, compare, write the results, and print them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--races", type=int, default=20_000)
    parser.add_argument("--sample", type=int, default=1_000, help="races of the slow loop with bare cursors")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "evaluation.md")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="greynb-bench-"))
    try:
        text = measure(folder, args.races, args.sample)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    args.out.write_text(text, encoding="utf-8")
    print(text)
    return 0


def measure(folder: Path, count: int, sample: int) -> str:
    """Build the season, run all ways, and report."""
    # Set before greynb looks: the files of this run.
    os.environ["STAGING_DB_PATH"] = str(folder / "stage.db")
    os.environ["ANALYTICS_DB_PATH"] = str(folder / "analytics.db")
    import greynb
    from greynb.demo import season
    from greynb.demo.write import write_season

    write_season(folder / "stage.db", season(count))
    greynb.sync(mode="full")
    say(f"{count:,} races are published")
    races = names(folder / "analytics.db")
    shutil.copy((folder / "analytics.db").resolve(), folder / "indexed.db")
    (folder / "indexed.db").chmod(0o644)
    with closing(sqlite3.connect(folder / "indexed.db")) as con, con:
        con.execute(INDEX)

    first, ours = evaluated()
    seconds = {"greynb.evaluate, first call of the process": first, "greynb.evaluate": ours["again"]}
    seconds['the same with groups (by="venue")'] = ours["grouped"]
    collector, found = timed(folder / "analytics.db", loop.with_pandas, races)
    seconds["loop as the collector's: pandas.read_sql_query"] = collector
    largest = differing(found)
    chosen = random.Random(1).sample(races, min(sample, len(races)))
    lean, _ = timed(folder / "analytics.db", loop.with_cursor, chosen)
    seconds[f"loop with bare cursors ({len(chosen):,} races, times {len(races) / len(chosen):g})"] = (
        lean * len(races) / len(chosen)
    )
    indexed, _ = timed(folder / "indexed.db", loop.with_pandas, races)
    seconds["pandas loop, after an index on predictions (race_id)"] = indexed
    bare, again = timed(folder / "indexed.db", loop.with_cursor, races)
    seconds["bare cursors, after that index"] = bare
    largest = max(largest, differing(again))
    return report(seconds, len(races), largest)


def names(path: Path) -> list[str]:
    """The races of a file."""
    with closing(sqlite3.connect(path)) as con:
        return [race for (race,) in con.execute("SELECT race_id FROM race_metadata ORDER BY race_id")]


def evaluated() -> tuple[float, dict[str, float]]:
    """Seconds of the first call, which loads libraries, and the median of those after it."""
    import greynb

    def taken(**arguments: str) -> float:
        begun = time.perf_counter()
        greynb.evaluate(**arguments)
        return time.perf_counter() - begun

    first = taken()
    again = statistics.median(taken() for _ in range(7))
    grouped = statistics.median(taken(by="venue") for _ in range(3))
    say(f"greynb.evaluate: {again:.2f} s")
    return first, {"again": again, "grouped": grouped}


def timed(path: Path, asking: Asking, races: list[str]) -> tuple[float, dict[tuple[str, str], float]]:
    """Run the loop on one connection."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as con:
        begun = time.perf_counter()
        found = loop.evaluate(asking(con), races)
        seconds = time.perf_counter() - begun
    say(f"{asking.__name__} on {path.name}: {len(races):,} races in {seconds:.1f} s")
    return seconds, found


def differing(found: dict[tuple[str, str], float]) -> float:
    """The largest difference between the loop's numbers and greynb's; an error where one lacks a number."""
    import greynb

    ours = greynb.evaluate()
    largest = 0.0
    for (metric, method), value in found.items():
        theirs = ours.value(metric, method)
        if math.isnan(value) != math.isnan(theirs):
            raise RuntimeError(f"{metric} of {method}: {value} in the loop, {theirs} by greynb")
        largest = max(largest, 0.0 if math.isnan(value) else abs(value - theirs))
    if len(found) != len(ours.table) or largest > 1e-9:
        raise RuntimeError(f"{len(found)} numbers, the largest difference is {largest}")
    return largest


def report(seconds: dict[str, float], races: int, largest: float) -> str:
    """Write the results as Markdown."""
    ours = seconds["greynb.evaluate"]
    collector = seconds["loop as the collector's: pandas.read_sql_query"]
    rows = "\n".join(f"| {name} | {each:,.2f} | {each / ours:,.1f} |" for name, each in seconds.items())
    met = "met" if collector / ours >= 200 else "**missed**"
    return f"""# Evaluation

{dt.date.today():%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}, SQLite \
{sqlite3.sqlite_version}; load {os.getloadavg()[0]:.1f} (other work on the machine included). \
`make bench-evaluation` repeats it.

A season of {races:,} races of `greynb demo`, published with its mirror. `greynb.evaluate()` reads the \
mirror; the loops read the same version's SQLite file, with three queries for each race (race, starters, \
predictions). All give the same 36 numbers: the largest difference is {largest:.0e}. `greynb.evaluate` also \
gives an interval for each from 1,000 resamples, reliability bins, returns by odds, differences to the \
baselines, and counts; the loops give none of that.

| | seconds | to greynb.evaluate |
|---|---|---|
{rows}

The aim is 200 times the speed of such a loop: {collector / ours:,.0f} times, {met}.

Why the loop takes so long: the collector's `predictions` have no index on `race_id`, so that each of the \
{races:,} queries for them reads the whole table. With an index, which the collector does not have, the loop \
is far quicker: the last two rows.
"""


def say(text: str) -> None:
    """Tell the one who waits."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
