"""The results of publishing.py as Markdown, and time against size as a drawing."""

from __future__ import annotations

import datetime
import os
import platform
import sqlite3
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Round = dict[str, dict[str, Any]]
Sizes = dict[float, list[Round]]
Watched = dict[str, Any]

STEPS = (
    *("copy", "analyze", "compare", "keys", "content", "census", "mirror"),
    *("check", "hash", "sync", "switch"),
)


def report(sizes: Sizes, watched: dict[float, Watched]) -> str:
    """The results as Markdown."""
    lines = [
        "# Publishing",
        "",
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python"
        f" {platform.python_version()}, SQLite {sqlite3.sqlite_version}; load"
        f" {os.getloadavg()[1]:.1f} (other work on the machine included).",
        "`make bench-publishing` repeats it: seasons of `greynb demo` with indexes, in WAL; every publication"
        " in a process of its own. A change: 1 % of the rows of each big table, all over it; 8 of 10 updated,"
        " one deleted, one inserted. Each version has its mirror.",
        "",
        *_limits(sizes, watched),
        "",
        "## Step by step",
        "",
        *_steps(sizes),
        "",
        "`check`, `hash` (sha256) and `sync` (fsync of the SQLite file) run beside the steps before them, and"
        " in a full publication `mirror`, which counts the census as well, beside `content`: the steps add up"
        " to more than all. `backup` is SQLite's online backup in one step and an fsync.",
        "",
        "![time against size](publishing.svg)",
        "",
        *_watch(watched),
    ]
    return "\n".join(lines) + "\n"


def _limits(sizes: Sizes, watched: dict[float, Watched]) -> Iterator[str]:
    middle = max(sizes, key=lambda size: len(sizes[size]))
    rounds = sizes[middle]
    peak = max(
        each[kind]["megabytes"]
        for found in sizes.values()
        for each in found
        for kind in ("full", "incremental")
    )
    yield f"Medians of {len(rounds)} round(s) on {middle:,.0f} MB."
    yield ""
    yield "| | measured | limit | |"
    yield "|---|---|---|---|"
    yield _row("full without checks, to backup and fsync", _median(rounds, _bare_ratio), 1.3)
    yield _row("incremental to full, all steps of both", _median(rounds, _incremental_ratio), 0.3)
    yield _row(
        "the same without checks",
        _median(rounds, lambda each: _without_checks(each["incremental"]) / _without_checks(each["full"])),
        None,
    )
    yield _row(
        "finding the changes, s", _median(rounds, lambda each: _step(each["incremental"], "compare")), 0.5
    )
    yield _row("memory of the publisher at any size, MB", peak, 500)
    for size, found in watched.items():
        lags = found["lags"]
        yield _row(f"{size:,.0f} MB: commit to visible, median, s", statistics.median(lags), 2)
        yield _row(f"{size:,.0f} MB: 95th percentile, s", lags[int(len(lags) * 0.95)], 4)
        yield _row(f"{size:,.0f} MB: rows/s lost beside a watch, %", 100 * _loss(found), 5)


def _row(name: str, value: float, limit: float | None) -> str:
    judged = "" if limit is None else "met" if value <= limit else "**missed**"
    return f"| {name} | {value:.2f} | {'' if limit is None else f'≤ {limit}'} | {judged} |"


def _steps(sizes: Sizes) -> Iterator[str]:
    yield "Seconds; medians where there were several rounds."
    yield ""
    yield (
        "| MB | | all | without checks | " + " | ".join(STEPS) + " | of it fsync | pages changed | peak MB |"
    )
    yield "|---|---|" + "---|" * (len(STEPS) + 5)
    for size, rounds in sizes.items():
        backup = _median(rounds, lambda each: each["backup"]["seconds"])
        yield f"| {size:,.0f} | backup | {backup:.2f} | {backup:.2f} |" + " |" * (len(STEPS) + 3)
        for kind in ("full", "incremental"):
            found = [each[kind] for each in rounds]
            cells = [
                statistics.median(each["seconds"] for each in found),
                statistics.median(map(_without_checks, found)),
                *(statistics.median(_step(each, step) for each in found) for step in STEPS),
                statistics.median(each["fsync"] for each in found),
            ]
            pages = found[0]["pages_changed"]
            part = "–" if pages is None else f"{pages / found[0]['pages']:.0%}"
            memory = max(each["megabytes"] for each in found)
            numbers = " | ".join(f"{each:.2f}" for each in cells)
            yield f"| {size:,.0f} | {kind} | {numbers} | {part} | {memory:.0f} |"


def _watch(watched: dict[float, Watched]) -> Iterator[str]:
    yield "## Watch"
    yield ""
    yield (
        "A writer commits 100 rows 20 times a second, in turn alone and beside a watch. A"
        " session of `%%analytics` asks for the newest row five times a second. Lag: from the end of a commit"
        " until the end of the first query that saw it; where none did before the reader stopped, until then."
    )
    yield ""
    yield "| MB | lag: median, s | 95 % | largest | rows/s alone | beside | ms per commit alone | beside |"
    yield "|---|---|---|---|---|---|---|---|"
    for size, found in watched.items():
        lags = found["lags"]
        late = lags[int(len(lags) * 0.95)]
        rates = [statistics.mean(each["rate"] for each in found[kind]) for kind in ("alone", "beside")]
        busy = [1000 * statistics.mean(each["busy"] for each in found[kind]) for kind in ("alone", "beside")]
        yield (
            f"| {size:,.0f} | {statistics.median(lags):.2f} | {late:.2f} | {lags[-1]:.2f}"
            f" | {rates[0]:,.0f} | {rates[1]:,.0f} | {busy[0]:.2f} | {busy[1]:.2f} |"
        )


def draw(sizes: Sizes, path: Path) -> None:
    """Draw time against size."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    kinds: dict[str, Callable[[Round], float]] = {
        "full": lambda each: each["full"]["seconds"],
        "full without checks": lambda each: _without_checks(each["full"]),
        "incremental, 1 % changed": lambda each: each["incremental"]["seconds"],
        "backup and fsync": lambda each: each["backup"]["seconds"],
    }
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, seconds in kinds.items():
        axes.plot(
            list(sizes), [_median(rounds, seconds) for rounds in sizes.values()], marker="o", label=name
        )
    axes.set(xlabel="size of the database, MB", ylabel="seconds", xlim=(0, None), ylim=(0, None))
    axes.legend()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _median(rounds: list[Round], value: Callable[[Round], float]) -> float:
    return statistics.median(map(value, rounds))


def _step(found: dict[str, Any], step: str) -> float:
    return float(found["steps"].get(step, 0.0))


def _without_checks(found: dict[str, Any]) -> float:
    """Copy, comparison, fsync and switch: everything but the checks, and the sha256."""
    return sum(_step(found, step) for step in ("copy", "compare", "switch")) + float(found["fsync"])


def _bare_ratio(each: Round) -> float:
    return _without_checks(each["full"]) / float(each["backup"]["seconds"])


def _incremental_ratio(each: Round) -> float:
    return float(each["incremental"]["seconds"]) / float(each["full"]["seconds"])


def _loss(found: Watched) -> float:
    alone, beside = (statistics.mean(each["rate"] for each in found[kind]) for kind in ("alone", "beside"))
    return 1 - beside / alone
