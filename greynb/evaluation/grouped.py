"""The charts by group and by odds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from greynb.errors import UsageError
from greynb.evaluation.dots import MOST, dots
from greynb.evaluation.metrics import BY_NAME

if TYPE_CHECKING:
    import pandas as pd

    from greynb.evaluation.charts import Chart
    from greynb.evaluation.result import Evaluation

NO_BET: Final = "there is no bet to draw: no pick of the model has a price"
NO_BET_HINT: Final = "price= names another column of dog_race_data"


def by_group(evaluation: Evaluation, metric: str) -> Chart:
    """Draw a metric by group; of more than fit, those with most races."""
    if evaluation.groups is None:
        raise UsageError("nothing was grouped", hint='evaluate(by="venue") gives each venue its metrics')
    if metric not in BY_NAME:
        raise UsageError(f"there is no metric {metric}", hint=", ".join(BY_NAME))
    rows = evaluation.groups[evaluation.groups["metric"] == metric]
    size = rows[rows["method"] == "model"].set_index("group")["n"]
    name = BY_NAME[metric].title
    title = f"{name[0].upper()}{name[1:]} by {evaluation.arguments.by}"
    if len(size) > MOST:
        rows = rows[rows["group"].isin(size.nlargest(MOST).index)]
        title += f", the {MOST} largest of {len(size)}"
    rows = rows[rows["method"] != "uniform"]
    if evaluation.arguments.by not in ("month", "odds_band") and is_text(rows["group"]):
        order = rows[rows["method"] == "model"].set_index("group")["value"]
        rows = rows.sort_values("group", key=lambda names: -names.map(order), kind="stable")
    return dots(rows, "group", BY_NAME[metric], title=title, unit="races", source=evaluation.groups)


def is_text(names: pd.Series[Any]) -> bool:
    """Whether groups are named by words, which have no order of their own."""
    return any(isinstance(name, str) for name in names)


def by_odds(evaluation: Evaluation) -> Chart:
    """Draw the return at flat stakes by band of the odds."""
    rows = evaluation.odds
    if not (rows["method"] == "model").any():
        raise UsageError(NO_BET, hint=NO_BET_HINT)
    title = "Return by the odds of the pick"
    return dots(rows, "odds", BY_NAME["roi_flat"], title=title, unit="bets", source=evaluation.odds)
