"""CAST as DuckDB does it: doubles to whole numbers are rounded, half to even, not cut off."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from greynb.spark.expressions import Expressions, Rule
from greynb.spark.functions import as_text
from greynb.spark.typed import Typed, dated, double, refuse

_WHOLE: Final = {
    exp.DType.TINYINT: "TINYINT",
    exp.DType.SMALLINT: "SMALLINT",
    exp.DType.INT: "INT",
    exp.DType.BIGINT: "BIGINT",
}
_STAMPS: Final = (exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ, exp.DType.DATETIME)
_ISO: Final = r"^\\d{4}-\\d{2}-\\d{2}$"


def _cast(into: Expressions, node: exp.Expression) -> Typed:
    value, to = into.of(node.this), node.args["to"]
    kind = to.this
    if to.expressions:
        refuse(f"CAST to {to.sql('duckdb')}", "write round(x, 2), or CAST(x AS DOUBLE)")
    if kind in _WHOLE:
        return _to_whole(value, _WHOLE[kind])
    if kind == exp.DType.DOUBLE:
        if value.kind == "bool":
            return Typed(f"CAST(CAST({value.sql} AS INT) AS DOUBLE)", "double")
        return Typed(double(value), "double")
    if kind in (exp.DType.TEXT, exp.DType.VARCHAR):
        return Typed(as_text(value), "text")
    if kind == exp.DType.DATE:
        return _to_date(value)
    if kind in _STAMPS:
        return Typed(dated(value, "stamp"), "stamp")
    if kind == exp.DType.BOOLEAN and value.kind in ("bool", "int", "null"):
        return Typed(f"CAST({value.sql} AS BOOLEAN)", "bool")
    return refuse(f"CAST of {value.kind} to {to.sql('duckdb')}")


def _to_whole(value: Typed, name: str) -> Typed:
    if value.kind in ("int", "bool", "null"):
        return Typed(f"CAST({value.sql} AS {name})", "int")
    if value.kind == "double":
        return Typed(f"CAST(rint({value.sql}) AS {name})", "int")
    return refuse(f"CAST of {value.kind} to {name}", "make it a number when it is published")


def _to_date(value: Typed) -> Typed:
    if value.kind == "text" and value.text is None:
        wrong = f"raise_error('a text is no date written as 2025-01-31')"  # noqa: F541
        return Typed(
            f"(CASE WHEN {value.sql} IS NULL THEN NULL WHEN {value.sql} RLIKE '{_ISO}'"
            f" THEN CAST({value.sql} AS DATE) ELSE {wrong} END)",
            "date",
        )
    if value.kind == "stamp":
        return Typed(f"CAST({value.sql} AS DATE)", "date")
    return Typed(dated(value, "date"), "date")


CASTS: Final[dict[type[exp.Expression], tuple[Rule, frozenset[str]]]] = {
    exp.Cast: (_cast, frozenset({"this", "to"})),
}
"""Rules, and the parts of the node that each knows."""
