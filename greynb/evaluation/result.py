"""What an evaluation found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

    from greynb.evaluation.arguments import Arguments
    from greynb.evaluation.charts import Chart


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """How good the predictions were, beside two baselines.

    Each frame's ``attrs["greynb"]`` says where it came from, so that it can be made again.

    Attributes
    ----------
    table
        One row per metric and method: ``metric``, ``method`` (``model``, ``favourite``, ``uniform``),
        ``value``, the ends of its 95 % interval ``low`` and ``high``, and ``n``, the races behind it. A value
        without meaning is NaN.
    differences
        The model less each baseline, on the races that both have: ``metric``, ``against``, ``difference``,
        ``low``, ``high``, ``n``.
    groups
        `table` for each value of ``by``, which is in a first column ``group``; None without ``by``.
    bins
        The reliability bins of model and favourite: ``method``, ``bin``, ``above`` and ``upto`` (its edges),
        the mean ``predicted`` probability, the share that ``won`` with ``low`` and ``high``, and ``n``, the
        starters in it.
    odds
        The return of one unit on each race's pick by the odds it was paid at, for the same two: ``method``,
        ``odds``, ``value``, ``low``, ``high``, and ``n``, the bets (a tie shares one).
    races
        One row per race and method, in the order of method and start: ``race_id``, ``day``, ``method``,
        ``staked`` and ``paid`` at flat stakes, ``kelly_staked`` and ``kelly_paid`` in parts of the bankroll,
        and ``growth``, the logarithm of the bankroll's growth.
    counts
        What was read, what counts, and what does not, with reasons: ``of``, ``what``, ``number``.
    sql
        The script that was run.
    arguments
        What was asked for.
    version
        The version of analytics that was read.
    notes
        What to know of it.
    """

    table: pd.DataFrame
    differences: pd.DataFrame
    groups: pd.DataFrame | None
    bins: pd.DataFrame
    odds: pd.DataFrame
    races: pd.DataFrame
    counts: pd.DataFrame
    sql: str = field(repr=False)
    arguments: Arguments
    version: str | None
    notes: tuple[str, ...] = ()

    def value(self, metric: str, method: str = "model") -> float:
        """The value of one metric.

        Raises
        ------
        KeyError
            There is no such metric or method.
        """
        return float(self.row(metric, method)["value"])

    def row(self, metric: str, method: str = "model") -> Mapping[str, Any]:
        """One metric's row of `table`; raises KeyError as `value` does."""
        rows = self.table[(self.table["metric"] == metric) & (self.table["method"] == method)]
        if rows.empty:
            raise KeyError(f"{metric} of {method}")
        return {str(name): value for name, value in rows.iloc[0].items()}

    def count(self, of: str, what: str) -> int:
        """One number of `counts`; 0 for what did not occur."""
        rows = self.counts[(self.counts["of"] == of) & (self.counts["what"] == what)]
        return int(rows["number"].sum())

    def reliability(self) -> Chart:
        """Draw the share that won against the probability that was given."""
        from greynb.evaluation.curves import reliability

        return reliability(self)

    def returns(self, stakes: Literal["flat", "kelly"] = "flat") -> Chart:
        """Draw the profit race after race, and how far it is below its peak.

        Parameters
        ----------
        stakes
            One unit on each race's pick, or the part of Kelly's stakes that `arguments` says.
        """
        from greynb.evaluation.curves import returns

        return returns(self, stakes)

    def by_group(self, metric: str = "top1") -> Chart:
        """Draw a metric for each value of ``by``, with intervals; of many values, those with most races.

        Raises
        ------
        UsageError
            Nothing was grouped, or there is no such metric.
        """
        from greynb.evaluation.grouped import by_group

        return by_group(self, metric)

    def by_odds(self) -> Chart:
        """Draw the return of flat stakes on the picks by the odds they were paid at."""
        from greynb.evaluation.grouped import by_odds

        return by_odds(self)

    def __repr__(self) -> str:
        from greynb.evaluation.display import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from greynb.evaluation.display import as_html

        return as_html(self)
