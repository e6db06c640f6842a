"""Numbers and names as readers see them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from greynb.evaluation.arguments import FRAME

if TYPE_CHECKING:
    from greynb.evaluation.metrics import Metric
    from greynb.evaluation.result import Evaluation

NONE: Final = "–"
_EXCLUDED: Final = "excluded: "


def number(metric: Metric, value: float) -> str:
    """A metric's value: a percentage, one with its sign, or four decimals; a dash where there is none."""
    if math.isnan(value):
        return NONE
    if metric.style == "share":
        return f"{value:.1%}"
    if metric.style == "return":
        return f"{value:+.1%}" if abs(value) >= 0.0005 else "0.0%"
    return f"{round(value, 4) + 0.0:.4f}"  # plus zero: no -0.0000


def between(metric: Metric, low: float, high: float) -> str:
    """An interval, without the unit of its ends; empty where there is none."""
    if math.isnan(low):
        return ""
    return f"{number(metric, low).rstrip('%')} to {number(metric, high).rstrip('%')}"


def subject(evaluation: Evaluation) -> str:
    """What was evaluated, and on what."""
    arguments = evaluation.arguments
    name = "a DataFrame of predictions" if arguments.predictions == FRAME else arguments.predictions
    days = "".join(
        f" {word} {day}" for word, day in (("since", arguments.since), ("until", arguments.until)) if day
    )
    return f"{name}{days}"


def size(evaluation: Evaluation) -> str:
    """How many races and starters there were."""
    races, every = (evaluation.count("races", what) for what in ("evaluated", "in the period"))
    return f"{races:,} of {every:,} races · {evaluation.count('starters', 'evaluated'):,} starters"


def left_out(evaluation: Evaluation) -> str:
    """What was not evaluated, and why."""
    parts = []
    for of in ("races", "starters"):
        rows = evaluation.counts[evaluation.counts["of"] == of].itertuples()
        named = ", ".join(
            f"{row.number:,} {str(row.what).removeprefix(_EXCLUDED)}"
            for row in rows
            if str(row.what).startswith(_EXCLUDED) and not str(row.what).endswith("not evaluated")
        )
        parts += [f"{of}: {named}"] if named else []
    return "left out: " + "; ".join(parts) if parts else "nothing was left out"


def changed(evaluation: Evaluation) -> str:
    """What was done to the numbers that count."""
    needed = evaluation.count("races", "probabilities normalised")
    heats, missing = (evaluation.count("races", what) for what in ("dead heats", "a price missing"))
    return (
        f"probabilities scaled to sum to 1 in every race ({needed:,} were more than 0.5 % off) ·"
        f" {heats:,} dead heats shared · {missing:,} races lack a price: the favourite is judged on the rest"
    )


def method_of_intervals(evaluation: Evaluation) -> str:
    """Where the intervals come from, and of which version."""
    arguments = evaluation.arguments
    return f"95 % intervals: {arguments.resamples:,} resamples of races, seed {arguments.seed}" + (
        f" · {evaluation.version}" if evaluation.version else ""
    )
