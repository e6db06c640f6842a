"""What to write instead of what is not run on Spark: by the name of a node of sqlglot, or of a function."""

from __future__ import annotations

from typing import Final

_ORDERED: Final = "rank the rows: row_number() OVER (PARTITION BY … ORDER BY …) in a subquery, then WHERE"
_LIST: Final = "aggregate with sum, count, min or max, or join the rows themselves"
_PATTERN: Final = "write LIKE, starts_with, ends_with or contains"
_CASE: Final = "write one sum(CASE WHEN … THEN … END) for each column"

INSTEAD: Final[dict[str, str]] = {
    "ArgMax": _ORDERED,
    "ArgMin": _ORDERED,
    "AnyValue": "write min(x) or max(x)",
    "First": _ORDERED,
    "Last": _ORDERED,
    "Mode": "count by group, then " + _ORDERED,
    "ArrayAgg": _LIST,
    "Array": _LIST,
    "List": _LIST,
    "Comprehension": _LIST,
    "Bracket": _LIST,
    "GroupConcat": _LIST,
    "Unnest": "write the rows out with VALUES, or UNION ALL",
    "Struct": "write its parts as columns",
    "RegexpLike": _PATTERN,
    "RegexpExtract": _PATTERN,
    "RegexpReplace": _PATTERN,
    "RegexpFullMatch": _PATTERN,
    "SimilarTo": _PATTERN,
    "TimeToStr": "write year(d), month(d), day(d), or date_trunc('month', d)",
    "CurrentDate": "write the day: DATE '2025-01-31'",
    "CurrentTimestamp": "write the time: TIMESTAMP '2025-01-31 12:00:00'",
    "Pivot": _CASE,
    "Columns": "write the columns out",
    "TryCast": "write a CASE that looks at the text first, then CAST",
    "ApproxDistinct": "write count(DISTINCT x)",
    "PercentileDisc": "write quantile_cont(x, 0.5) or median(x)",
    "ApproxQuantile": "write quantile_cont(x, 0.5)",
    "Log": "write log10(x) or ln(x)",
    "Values": "publish the rows as a table",
    "TableSample": "write WHERE id % 100 = 0",
    "Corr": "write it out with avg and stddev_pop",
    "Distinct": "write row_number() OVER (…) in a subquery, then WHERE",
    "Cube": "write one GROUP BY for each, and UNION ALL",
    "Rollup": "write one GROUP BY for each, and UNION ALL",
    "GroupingSets": "write one GROUP BY for each, and UNION ALL",
    "Lambda": _LIST,
    "Exists": "write IN (SELECT …)",
    "TimeToUnix": "subtract dates, or write date_diff('day', a, b)",
    "Monthname": "write month(d)",
    "Dayname": "write dayofweek(d)",
    "ILike": "write LIKE with the spelling of the data, or several of them with OR",
    "Rand": "choose by a column: WHERE id % 100 = 0",
    "IgnoreNulls": "write min(x) or max(x)",
    "Upper": "compare with the spelling of the data",
    "Lower": "compare with the spelling of the data",
    "Join": "write it with row_number() in a subquery, and an ordinary JOIN",
    "Explode": "write the rows out with UNION ALL",
    "Union": "write the columns in the same order, and UNION ALL",
    "With": "publish the rows as a table",
    "Select": "write WHERE id % 100 = 0",
    "date_part": "write extract(month FROM d), or month(d)",
    "BitwiseAnd": "write x % 4 for x & 3",
    "hash": "compare the columns themselves",
    "dow": "write dayofweek(d)",
    "list": _LIST,
    "epoch_ms": "subtract dates, or write date_diff('day', a, b)",
}
"""Node or function → what to write."""
