"""Parts of dates, and what lies between two: Sunday is day 0 of the week, weeks are those of ISO."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from greynb.spark.expressions import Expressions, Rule
from greynb.spark.typed import Typed, dated, refuse

_PLACES: Final = (
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "quarter",
    "week",
    "doy",
    "dow",
    "isodow",
)
_SPARK_PLACES: Final = {
    "week": "weekofyear({x})",
    "doy": "dayofyear({x})",
    "dow": "(dayofweek({x}) - 1)",
    "isodow": "(weekday({x}) + 1)",
    "second": "CAST(extract(SECOND FROM {x}) AS INT)",
}
_ALIASES: Final = {"dayofweek": "dow", "weekday": "dow", "dayofyear": "doy", "weekofyear": "week"}
_OF_TIMES: Final = ("hour", "minute", "second")


def part_of(into: Expressions, name: str, node: exp.Expression) -> Typed:
    """A part of a date or timestamp, such as its year."""
    name = _ALIASES.get(name.lower(), name.lower())
    value = into.of(node)
    if name not in _PLACES or value.kind not in ("date", "stamp"):
        refuse(f"{name} of {value.kind}", f"these parts of dates are known: {', '.join(_PLACES)}")
    x = dated(value, "stamp") if name in _OF_TIMES else value.sql
    return Typed(f"CAST({_SPARK_PLACES.get(name, name + '({x})').format(x=x)} AS BIGINT)", "int")


def _part(name: str) -> Rule:
    return lambda into, node: part_of(into, name, node.this)


def _extract(into: Expressions, node: exp.Expression) -> Typed:
    return part_of(into, node.this.name, node.expression)


def _truncated(into: Expressions, node: exp.Expression) -> Typed:
    value, unit = into.of(node.this), node.args["unit"].name.lower()
    if value.kind not in ("date", "stamp") or unit not in (
        "year",
        "quarter",
        "month",
        "week",
        "day",
        "hour",
        "minute",
    ):
        refuse(
            f"date_trunc() to {unit}", "write 'year', 'quarter', 'month', 'week', 'day', 'hour' or 'minute'"
        )
    return Typed(f"CAST(date_trunc('{unit}', {dated(value, 'stamp')}) AS TIMESTAMP_NTZ)", "stamp")


def _between_dates(into: Expressions, node: exp.Expression) -> Typed:
    """DuckDB counts the boundaries that lie between, as sqlglot notes by its date_part_boundary."""
    unit = node.args["unit"].name.lower()
    end, start = into.of(node.this), into.of(node.expression)
    if not {end.kind, start.kind} <= {"date", "stamp"}:
        refuse("date_diff() of that", "write it of dates")
    first, last = (f"CAST({each.sql} AS DATE)" for each in (start, end))
    if unit == "day":
        return Typed(f"CAST(datediff({last}, {first}) AS BIGINT)", "int")
    years = f"(year({last}) - year({first}))"
    if unit == "month":
        return Typed(f"CAST({years} * 12 + month({last}) - month({first}) AS BIGINT)", "int")
    if unit == "year":
        return Typed(f"CAST({years} AS BIGINT)", "int")
    return refuse(f"date_diff() in {unit}", "write 'day', 'month' or 'year'")


_X: Final = frozenset({"this"})
_XY: Final = frozenset({"this", "expression"})

DATES: Final[dict[type[exp.Expression], tuple[Rule, frozenset[str]]]] = {
    exp.Year: (_part("year"), _X),
    exp.Month: (_part("month"), _X),
    exp.Day: (_part("day"), _X),
    exp.DayOfMonth: (_part("day"), _X),
    exp.Quarter: (_part("quarter"), _X),
    exp.Hour: (_part("hour"), _X),
    exp.Minute: (_part("minute"), _X),
    exp.Second: (_part("second"), _X),
    exp.Week: (_part("week"), _X),
    exp.WeekOfYear: (_part("week"), _X),
    exp.DayOfYear: (_part("doy"), _X),
    exp.DayOfWeek: (_part("dow"), _X),
    exp.DayOfWeekIso: (_part("isodow"), _X),
    exp.Extract: (_extract, _XY),
    exp.TimestampTrunc: (_truncated, frozenset({"this", "unit"})),
    exp.DateTrunc: (_truncated, frozenset({"this", "unit"})),
    exp.DateDiff: (_between_dates, frozenset({"this", "expression", "unit", "date_part_boundary"})),
}
"""Rules, and the parts of the node that each knows."""
