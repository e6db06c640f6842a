"""Charts of groups: one line each, with a dot and its interval per method, and n beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from greynb.evaluation import wording
from greynb.evaluation.charts import Chart, drawing, finished, signed
from greynb.evaluation.chartstyle import FAINT, MARKET, MODEL, UNIFORM

if TYPE_CHECKING:
    import pandas as pd

    from greynb.evaluation.metrics import Metric

COLOURS: Final = {"model": MODEL, "favourite": MARKET, "uniform": UNIFORM}
_MARKS: Final = {"model": "o", "favourite": "D", "uniform": "s"}
_WIDTH: Final = 8.4
MOST: Final = 40
"""Groups that one chart has room for."""


def dots(
    df: pd.DataFrame, label: str, metric: Metric, *, title: str, unit: str, source: pd.DataFrame
) -> Chart:
    """Draw a metric by group.

    Parameters
    ----------
    df
        ``method``, `label`, ``value``, ``low``, ``high``, ``n``; groups in the order in which they are drawn.
    label
        The column that names the group.
    metric
        What ``value`` is.
    title
        Of the chart, without n.
    unit
        What n counts.
    source
        The frame of the evaluation that `df` was taken from.
    """
    methods = ("model", "favourite")
    groups = list(dict.fromkeys(df[label].map(_name)))
    total = df[df["method"] == methods[0]]["n"].sum()
    with drawing(_WIDTH, 1.25 + 0.3 * len(groups)) as figure:
        axes = figure.subplots()
        for number, method in enumerate(methods):
            own = df[df["method"] == method]
            _draw(axes, own, [groups.index(_name(group)) for group in own[label]], method, number)
        _label(axes, df, label, groups, methods[0], unit)
        _scale(axes, df, metric)
        axes.set_title(f"{title} (n = {total:,.0f} {unit})", pad=26)
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(methods), borderaxespad=0.2)
        words = _words(df, label, metric, title, unit, methods, total)
        return finished(figure, words, "Lines are 95 % intervals, from races drawn again.", source)


def _draw(axes: Any, own: pd.DataFrame, places: list[int], method: str, number: int) -> None:
    colour, first = COLOURS[method], number == 0
    at = [place + 0.22 * number for place in places]
    ends = [(own["value"] - own["low"]).clip(lower=0), (own["high"] - own["value"]).clip(lower=0)]
    axes.errorbar(own["value"], at, xerr=ends, fmt="none", ecolor=colour, elinewidth=1.6 if first else 1.0)
    axes.plot(
        own["value"],
        at,
        _MARKS[method],
        color=colour,
        markersize=6 if first else 4,
        markerfacecolor=colour if first else "none",
        label=method,
    )


def _label(axes: Any, df: pd.DataFrame, label: str, groups: list[str], method: str, unit: str) -> None:
    counts = {_name(row[label]): row["n"] for _, row in df[df["method"] == method].iterrows()}
    axes.set_yticks(range(len(groups)), groups)
    axes.set_ylim(len(groups) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    beside = {"xycoords": ("axes fraction", "data"), "va": "center", "ha": "right", "color": FAINT}
    for place, group in enumerate(groups):
        axes.annotate(
            f"{counts.get(group, 0):,.0f}", (1.09, place), fontsize=9, annotation_clip=False, **beside
        )
    axes.annotate(unit, (1.09, -0.9), fontsize=9, annotation_clip=False, **beside)


def _scale(axes: Any, df: pd.DataFrame, metric: Metric) -> None:
    formats = {"share": "{x:.0%}", "return": signed("{:+.0%}"), "number": "{x:g}"}
    axes.xaxis.set_major_formatter(formats[metric.style])
    axes.set_xlabel(metric.title)
    if metric.style == "return":
        axes.axvline(0, color=FAINT, linewidth=0.9, zorder=1)
        # One group of a few bets must not make all others unreadable.
        reach = float(df[["low", "high"]].abs().max(axis=1).clip(upper=1.5).max()) * 1.05
        axes.set_xlim(max(-1.05, -reach), reach)


def _words(
    df: pd.DataFrame,
    label: str,
    metric: Metric,
    title: str,
    unit: str,
    methods: tuple[str, ...],
    total: float,
) -> str:
    own = df[df["method"] == methods[0]].dropna(subset=["value"]).sort_values("value", kind="stable")
    found = []
    for row in own.to_dict("records"):
        ends = wording.between(metric, row["low"], row["high"])
        value = wording.number(metric, row["value"])
        found.append(f"{_name(row[label])} with {value}" + (f" ({ends})" if ends else ""))
    ends = f" Highest: {found[-1]}; lowest: {found[0]}." if found else ""
    beside = f"{methods[0]} beside {' and '.join(methods[1:])}"
    return f"{title}, {beside}: {len(own)} groups, {total:,.0f} {unit}.{ends}"


def _name(value: Any) -> str:
    return "(none)" if value is None or value != value else str(value)
