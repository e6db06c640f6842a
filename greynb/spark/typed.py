"""What a part of a statement becomes in Spark's SQL, with the kind of its values.

Kinds: ``bool``, ``int`` (of any width), ``double``, ``decimal`` (a literal such as 1.5, nothing else),
``halves``, ``text``, ``date``, ``stamp`` (a timestamp without zone), ``blob``, ``interval`` (a literal) and
``null``.

DuckDB computes exactly with decimals, Spark is given doubles. Where all decimals are whole numbers, halves,
quarters and so on, as in ``CASE WHEN won THEN 1.0 ELSE 0.0 END``, doubles are exact, too (below 2**53): such
an expression is of the kind ``halves``, a double that is a decimal in DuckDB. It may be compared, divided,
averaged, and used with doubles, but not rounded, cast or shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, NoReturn

from greynb.errors import QueryError

NUMBERS: Final = frozenset({"int", "double", "decimal", "halves"})
MOST_DIGITS: Final = 15
"""Digits that a decimal literal may have to be the same number as a double in both engines."""
INFINITY: Final = "CAST('Infinity' AS DOUBLE)"
_SMALLEST: Final = 1 << 10
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_STAMP: Final = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?")
_EXACT: Final = "write 1.5e0, a double, for 1.5, which DuckDB computes with as an exact decimal"


@dataclass(frozen=True, slots=True)
class Typed:
    """An expression of Spark's SQL.

    Attributes
    ----------
    sql
        Its text; safe to be put between operators.
    kind
        Of its values.
    text
        The value of a literal of text or decimal; None for any other expression.
    """

    sql: str
    kind: str
    text: str | None = None


class Unsupported(QueryError):
    """A statement that cannot be run on Spark with the certainty to give what DuckDB gives."""


def refuse(what: str, instead: str | None = None) -> NoReturn:
    """Refuse a statement because of one of its parts.

    Parameters
    ----------
    what
        The part, for a sentence.
    instead
        What to write instead.
    """
    raise Unsupported(
        "a statement is not run on Spark, where it could give other numbers than DuckDB does",
        detail=f"because of {what}",
        hint=instead or "ANALYTICS_ENGINE=duckdb runs the cell over the same lake",
    )


def quoted(name: str) -> str:
    """An identifier of Spark's SQL."""
    return "`" + name.replace("`", "``") + "`"


def text_literal(value: str) -> str:
    """A literal of text in Spark's SQL."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def double(value: Typed) -> str:
    """A number as a double, as DuckDB casts it."""
    if value.kind in ("double", "halves"):
        return value.sql
    if value.kind == "decimal":
        assert value.text is not None
        if sum(map(str.isdigit, value.text)) > MOST_DIGITS:
            refuse(f"the number {value.text} beside a double", "write fewer digits")
        return f"CAST('{value.text}' AS DOUBLE)"
    if value.kind in ("int", "null"):
        return f"CAST({value.sql} AS DOUBLE)"
    return refuse(f"a number made of {value.kind}", "write a CAST")


def dated(value: Typed, kind: str) -> str:
    """A date or timestamp; also from a text literal, as DuckDB reads it."""
    if value.kind == kind or value.kind == "null":
        return value.sql
    if value.text is not None and value.kind == "text":
        if kind == "date" and _DATE.fullmatch(value.text):
            return f"DATE '{value.text}'"
        if kind == "stamp" and (_DATE.fullmatch(value.text) or _STAMP.fullmatch(value.text)):
            return f"TIMESTAMP_NTZ '{value.text}'"
        refuse(
            f"the text {value.text!r} as a {kind}",
            "write DATE '2025-01-31' or TIMESTAMP '2025-01-31 12:00:00'",
        )
    if (value.kind, kind) == ("date", "stamp"):
        return f"CAST({value.sql} AS TIMESTAMP_NTZ)"
    return refuse(f"a {kind} made of {value.kind}", "write a CAST")


def comparable(values: Sequence[Typed]) -> list[str]:
    """Values that are compared with each other, in one type, as DuckDB compares them."""
    kinds = {each.kind for each in values} - {"null"}
    if len(kinds) <= 1 and kinds != {"decimal"}:
        return [each.sql for each in values]
    if kinds <= NUMBERS:
        # Whole numbers and decimals are compared exactly in both engines.
        inexact = kinds & {"double", "halves"}
        return [double(each) if inexact else each.sql for each in values]
    for kind in ("stamp", "date"):
        if kind in kinds and kinds <= {"stamp", "date", "text"}:
            return [dated(each, kind) for each in values]
    return refuse(f"comparing {' with '.join(sorted(kinds))}", "write a CAST on one side")


def common(values: Sequence[Typed], what: str) -> tuple[list[str], str]:
    """Values one of which becomes the result, in one type; and its kind."""
    kinds = {each.kind for each in values} - {"null"}
    if "double" in kinds and kinds <= NUMBERS:
        return [double(each) for each in values], "double"
    if kinds & {"decimal", "halves"}:
        if not in_halves(values):
            refuse(f"a decimal in {what}", _EXACT)
        return [double(each) for each in values], "halves"
    if len(kinds) <= 1:
        return [each.sql for each in values], next(iter(kinds), "null")
    if kinds == {"date", "stamp"}:
        return [dated(each, "stamp") for each in values], "stamp"
    return refuse(f"{what} of {' and '.join(sorted(kinds))}", "write a CAST")


def exact(value: Typed, what: str) -> Typed:
    """A value that is no decimal in DuckDB."""
    if value.kind in ("decimal", "halves"):
        refuse(f"a decimal in {what}", _EXACT)
    return value


def in_halves(values: Sequence[Typed]) -> bool:
    """Whether all values are whole numbers, or decimals that doubles represent exactly."""
    return all(
        each.kind in ("int", "halves", "null") or (each.kind == "decimal" and _is_half(each.text or ""))
        for each in values
    )


def _is_half(text: str) -> bool:
    below = Fraction(text).denominator
    return below & (below - 1) == 0 and below <= _SMALLEST
