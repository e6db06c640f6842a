"""The results of mirror.py as Markdown and as a drawing. Times come in seconds and are shown in ms."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from answers import geometric_mean
from contenders import CONTENDERS
from queries import QUERIES

SCANS = [query.name for query in QUERIES if query.scans]


@dataclass
class Figures:
    """What was measured: seconds by size in MB, contender and question; peaks of memory in MB; the rest."""

    times: dict[float, dict[str, dict[str, float]]] = field(default_factory=dict)
    memory: dict[float, dict[str, float]] = field(default_factory=dict)
    failed: dict[float, dict[str, dict[str, str]]] = field(default_factory=dict)
    extras: dict[str, float] = field(default_factory=dict)
    middle: float = 0.0

    def faster(self, name: str, than: str, queries: list[str] | None = None) -> float:
        """How many times as fast one contender is as another, in the geometric mean at the middle size."""
        one, other = self.times[self.middle][name], self.times[self.middle][than]
        shared = [query for query in queries or one if query in one and query in other]
        return geometric_mean([other[query] / one[query] for query in shared])

    def mean(self, size: float, name: str) -> float:
        """The geometric mean of a contender's seconds over all questions that it answered."""
        return geometric_mean(list(self.times[size][name].values()))


def report(found: Figures, rounds: int) -> str:
    """The results as Markdown."""
    lines = ["# Twelve questions", "", *_where(rounds), "", *_limits(found)]
    for size in found.times:
        lines += ["", f"## {size:,.0f} MB", "", *_times(found, size)]
    lines += ["", *_notes(found), "", "![time of each question](mirror.svg)"]
    return "\n".join(lines) + "\n"


def _where(rounds: int) -> Iterator[str]:
    packages = sorted({each.package for each in CONTENDERS.values()} | {"ipython", "polars", "pyarrow"})
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    yield (
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {_processor()}, {os.cpu_count()} cores; load"
        f" {os.getloadavg()[0]:.1f} (other work on the machine included)."
        f" Python {platform.python_version()}, {versions}."
    )
    yield (
        "`make bench-mirror` repeats it: seasons of `greynb demo`, published. Whole cells, to the DataFrame;"
        f" all answers were compared. Medians of {rounds} round(s), each contender in a fresh process per"
        " round, each question without its first time (but for the cold ones). greynb without its result"
        " cache."
    )


def _limits(found: Figures) -> Iterator[str]:
    yield f"Judged at {found.middle:,.0f} MB:"
    yield ""
    yield "| | measured | limit | |"
    yield "|---|---|---|---|"
    times, extras = found.times[found.middle], found.extras
    beyond = {q: 1000 * (times["greynb"][q] - 1.1 * times["native"][q]) for q in times["greynb"]}
    worst = max(beyond, key=lambda query: beyond[query])
    yield _row(f"over 1.10 × the native file, at worst ({worst}), ms", beyond[worst], "≤", 3)
    yield _row("times as fast as the attached file", found.faster("greynb", "attached"), "≥", 5)
    yield _row("times as fast as `read_sql`, scans", found.faster("greynb", "read_sql", SCANS), "≥", 12)
    yield _row("one race, ms", 1000 * times["greynb"]["one race"], "≤", 5)
    largest = max(found.times)
    if largest > found.middle:
        growth = found.mean(largest, "greynb") / found.mean(found.middle, "greynb")
        yield _row(f"growth to {largest:,.0f} MB, times", growth, "≤", largest / found.middle)
    memory = found.memory[found.middle]
    yield _row("peak of memory, to that of the attached file", memory["greynb"] / memory["attached"], "≤", 1)
    yield _row("10,000 rows from the result cache, ms", 1000 * extras["cached cached"], "≤", 10)
    yield _row("the same computed, ms", 1000 * extras["cached computed"])
    yield _row("a cell over DuckDB itself, ms", extras["cell kept"] - extras["cell bare"], "≤", 1)
    first = extras["first_cell seconds"] - extras["imports seconds"]
    yield _row("`%load_ext` and first cell beyond importing duckdb and pandas, s", first, "≤", 0.6)
    load = extras["load seconds"]
    by_pandas, bare = extras["to_sql_engine seconds"] / load, extras["to_sql seconds"] / load
    yield _row("loading 200,000 rows, times as fast as `to_sql` over SQLAlchemy", by_pandas, "≥", 3)
    yield _row("as `to_sql` over sqlite3, itself little more than an `executemany`", bare)
    yield _row(
        "loading, to a bare `executemany` in one transaction", load / extras["executemany seconds"], "≤", 1.3
    )
    yield from _mirror(extras)


def _mirror(extras: dict[str, float]) -> Iterator[str]:
    copied = extras["copy_database seconds"]
    yield _row("`COPY FROM DATABASE` (all as text), s", copied)
    if "mirror seconds" in extras:
        yield _row("times as fast: the mirror, with census", copied / extras["mirror seconds"], "≥", 2)
        yield _row("memory of making the mirror, MB", extras["mirror megabytes"], "≤", 400)
    else:
        yield "| the mirror | not there yet | | |"


def _row(name: str, value: float, sense: str = "", limit: float | None = None) -> str:
    if limit is None:
        return f"| {name} | {value:.2f} | | |"
    met = value <= limit if sense == "≤" else value >= limit
    return f"| {name} | {value:.2f} | {sense} {limit:.3g} | {'met' if met else '**missed**'} |"


def _times(found: Figures, size: float) -> Iterator[str]:
    times = found.times[size]
    yield "| ms | " + " | ".join(CONTENDERS[name].title for name in times) + " |"
    yield "|---|" + "---|" * len(times)
    for query in QUERIES:
        yield f"| {query.name} | " + " | ".join(_ms(of.get(query.name)) for of in times.values()) + " |"
    means = " | ".join(_ms(found.mean(size, name)) for name in times)
    yield f"| **geometric mean** | {means} |"
    yield "| peak of memory, MB | " + " | ".join(f"{found.memory[size][name]:,.0f}" for name in times) + " |"


def _ms(seconds: float | None) -> str:
    return "–" if seconds is None else f"{1000 * seconds:,.1f}"


def _notes(found: Figures) -> Iterator[str]:
    said = {
        f"{CONTENDERS[name].title}, {query}: {reason}"
        for by_name in found.failed.values()
        for name, by_query in by_name.items()
        for query, reason in by_query.items()
    }
    if said:
        yield "Not answered, or answered otherwise (–):"
        yield ""
        yield from (f"- {each}" for each in sorted(said))


def draw(found: Figures, path: Path) -> None:
    """Draw the time of each question at the middle size, a mark for each contender."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    marks = "o s D ^ v P X < > *".split()
    names = [query.name for query in QUERIES][::-1]
    figure, axes = plt.subplots(figsize=(8, 5.5), layout="constrained")
    for mark, (name, times) in zip(marks, found.times[found.middle].items(), strict=False):
        places = [names.index(query) for query in times]
        shown = [1000 * seconds for seconds in times.values()]
        line, size = ("black", 60) if name == "greynb" else ("none", 30)
        label = CONTENDERS[name].title.replace("`", "")
        axes.scatter(shown, places, size, marker=mark, alpha=0.8, edgecolors=line, label=label)
    axes.set_yticks(range(len(names)), names)
    axes.set(xscale="log", xlabel=f"ms, {found.middle:,.0f} MB")
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
