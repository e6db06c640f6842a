"""The reliability diagram, and profit over time with its drawdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from greynb.errors import UsageError
from greynb.evaluation import wording
from greynb.evaluation.charts import Chart, drawing, finished, signed
from greynb.evaluation.chartstyle import FAINT, INK
from greynb.evaluation.dots import COLOURS
from greynb.evaluation.grouped import NO_BET, NO_BET_HINT
from greynb.evaluation.metrics import BY_NAME

if TYPE_CHECKING:
    import pandas as pd

    from greynb.evaluation.result import Evaluation

Stakes = Literal["flat", "kelly"]
_FEW: Final = 30  # starters in a bin below which it is drawn faintly


def reliability(evaluation: Evaluation) -> Chart:
    """Draw the share that won against the probability given, bin by bin, with the starters below."""
    bins = evaluation.bins
    counts = {str(name): int(own["n"].sum()) for name, own in bins.groupby("method", sort=False)}
    with drawing(8.4, 5.6) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(5, 1))
        top = min(1.0, float(bins["upto"].max()))
        upper.plot([0, top], [0, top], color=FAINT, linewidth=1, linestyle=(0, (4, 3)), label="perfect")
        for name in reversed(list(counts)):
            _bins(upper, bins[bins["method"] == name], name, counts[name])
        model = bins[bins["method"] == "model"]
        width = float((model["upto"] - model["above"]).iloc[0])
        lower.bar(
            model["above"] + width / 2, model["n"], width=width * 0.86, color=COLOURS["model"], alpha=0.75
        )
        _axes(upper, lower, top)
        upper.set_title(f"Reliability (n = {counts['model']:,} starters)")
        return finished(
            figure,
            _reliability_words(evaluation, model),
            f"Bars are 95 % intervals, faint where a bin has fewer than {_FEW} starters. Below: the model's"
            " starters in each bin.",
            evaluation.bins,
        )


def returns(evaluation: Evaluation, stakes: Stakes = "flat") -> Chart:
    """Draw the profit of the model's and the favourite's picks race after race, and how far below its peak.

    Raises
    ------
    UsageError
        There is no such way of staking.
    """
    if stakes not in ("flat", "kelly"):
        raise UsageError(f"returns: stakes are 'flat' or 'kelly', not {stakes!r}")
    names = ("model", "favourite") if stakes == "flat" else ("model",)
    lines = {name: _line(evaluation.races, name, stakes) for name in names}
    lines = {name: line for name, line in lines.items() if line.attrs["bets"]}
    if "model" not in lines:
        raise UsageError(NO_BET, hint=NO_BET_HINT)
    with drawing(8.4, 4.8) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        for name, line in reversed(list(lines.items())):
            label = f"{name}, {line.attrs['bets']:,} bets"
            upper.plot(line["day"], line["profit"], color=COLOURS[name], linewidth=1.4, label=label)
        model = lines["model"]
        lower.fill_between(model["day"], model["drawdown"], 0, color=COLOURS["model"], alpha=0.3, linewidth=0)
        lower.plot(model["day"], model["drawdown"], color=COLOURS["model"], linewidth=0.9)
        _money(upper, lower, stakes, evaluation.arguments.kelly)
        title = "Profit, one unit a race" if stakes == "flat" else "Bankroll, Kelly stakes"
        upper.set_title(f"{title} (n = {model.attrs['bets']:,} bets)", pad=24)
        upper.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0.2, reverse=True)
        return finished(
            figure,
            _returns_words(lines, stakes),
            "Below: how far the model is under its highest point so far.",
            evaluation.races,
        )


def _bins(axes: Any, own: pd.DataFrame, name: str, starters: int) -> None:
    main, colour = name == "model", COLOURS[name]
    for many in (True, False):
        rows = own[(own["n"] >= _FEW) == many]
        ends = [(rows["won"] - rows["low"]).clip(lower=0), (rows["high"] - rows["won"]).clip(lower=0)]
        axes.errorbar(
            rows["predicted"],
            rows["won"],
            yerr=ends,
            fmt="o" if main else "D",
            color=colour,
            alpha=1 if many else 0.35,
            markersize=6 if main else 4.5,
            markerfacecolor=colour if main else "none",
            elinewidth=1.4 if main else 1.0,
            label=f"{name} (n = {starters:,})" if many else None,
        )


def _axes(upper: Any, lower: Any, top: float) -> None:
    upper.set_xlim(0, top)
    upper.set_ylim(-0.02 * top, 1.03 * top)
    upper.yaxis.set_major_formatter("{x:.0%}")
    lower.xaxis.set_major_formatter("{x:.0%}")
    lower.yaxis.set_major_formatter("{x:,.0f}")
    lower.yaxis.set_major_locator(_few_ticks())
    upper.set_ylabel("share that won")
    lower.set_ylabel("starters")
    lower.set_xlabel("probability that was given")
    upper.legend(loc="lower right", reverse=True)


def _few_ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(3)


def _line(races: pd.DataFrame, method: str, stakes: Stakes) -> pd.DataFrame:
    """Profit (or bankroll) after each day, and the drawdown race by race, at its deepest of the day."""
    import numpy as np

    own = races[races["method"] == method]
    if stakes == "flat":
        own = own[own["staked"] > 0]
        profit = (own["paid"] - own["staked"]).cumsum()
        drawdown = profit - profit.cummax().clip(lower=0)
        bets = len(own)
    else:
        profit = np.exp(own["growth"].cumsum())
        drawdown = profit / profit.cummax().clip(lower=1) - 1
        bets = int((own["kelly_staked"] > 0).sum())
    daily = own.assign(profit=profit, drawdown=drawdown).groupby("day", as_index=False)
    found = daily.agg(profit=("profit", "last"), drawdown=("drawdown", "min"))
    found.attrs = {**races.attrs, "bets": bets}
    return found


def _money(upper: Any, lower: Any, stakes: Stakes, kelly: float) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    if stakes == "flat":
        upper.axhline(0, color=FAINT, linewidth=0.9)
        upper.yaxis.set_major_formatter(signed("{:+,.0f}"))
        upper.set_ylabel("units won")
        lower.yaxis.set_major_formatter("{x:,.0f}")
    else:
        upper.axhline(1, color=FAINT, linewidth=0.9)
        upper.set_yscale("log")
        upper.set_ylabel(f"bankroll, from 1\n({kelly:g} of Kelly's stakes)")
        lower.yaxis.set_major_formatter("{x:.0%}")
    lower.yaxis.set_major_locator(_few_ticks())
    lower.set_ylabel("drawdown")
    locator = AutoDateLocator(minticks=4, maxticks=12)
    lower.xaxis.set_major_locator(locator)
    lower.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    for axes in (upper, lower):
        axes.tick_params(colors=FAINT)
        axes.title.set_color(INK)


def _reliability_words(evaluation: Evaluation, model: pd.DataFrame) -> str:
    slope, error = (evaluation.value(name) for name in ("slope", "ece"))
    low, high = (
        model.iloc[0],
        model[model["n"] >= _FEW].iloc[-1] if (model["n"] >= _FEW).any() else model.iloc[-1],
    )
    return (
        f"Reliability of the model over {int(model['n'].sum()):,} starters in {len(model)} bins. Those given"
        f" {low['predicted']:.0%} won {low['won']:.0%} of the time, those given {high['predicted']:.0%} won"
        f" {high['won']:.0%}. Expected calibration error {wording.number(BY_NAME['ece'], error)}, calibration"
        f" slope {slope:.2f}."
    )


def _returns_words(lines: dict[str, pd.DataFrame], stakes: Stakes) -> str:
    parts = []
    for name, line in lines.items():
        end, deepest = float(line["profit"].iloc[-1]), float(line["drawdown"].min())
        ended = f"{end:+,.0f} units" if stakes == "flat" else f"{end:.3g} times the bankroll"
        depth = f"{-deepest:,.0f} units" if stakes == "flat" else f"{-deepest:.0%}"
        parts.append(
            f"{name} ends at {ended} after {line.attrs['bets']:,} bets, at most {depth} below its peak"
        )
    model = lines["model"]
    first, last = model["day"].iloc[0], model["day"].iloc[-1]
    return f"Profit from {first:%d %B %Y} to {last:%d %B %Y}: {'; '.join(parts)}."
