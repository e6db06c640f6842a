"""DuckDB's scalar functions in Spark's SQL: those that are known to give the same, or can be made to.

Doubles are rounded as C does it, not as Java's decimals; a logarithm of nothing is an error, not NULL.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlglot import exp

from greynb.spark.expressions import Expressions, Rule
from greynb.spark.typed import Typed, double, exact, refuse, text_literal

_WHOLE_FROM: Final = "4503599627370496D"  # 2**52: doubles from here on have no fraction
_PLAIN: Final = 40
"""Characters of an expression that is written out again rather than bound to a name."""


def bound(value: str, body: Callable[[str], str]) -> str:
    """Use a value several times, and compute it once."""
    if len(value) <= _PLAIN:
        return body(value)
    return f"element_at(transform(array({value}), v -> {body('v')}), 1)"


def _rounded(x: str) -> str:
    """C's round(), half away from zero."""
    part = f"(abs({x}) - floor(abs({x})))"
    return (
        f"(CASE WHEN abs({x}) < {_WHOLE_FROM}"
        f" THEN signum({x}) * (floor(abs({x})) + IF({part} >= 0.5D, 1, 0)) ELSE {x} END)"
    )


def _round(into: Expressions, node: exp.Expression) -> Typed:
    value = exact(into.of(node.this), "round()")
    places = _number(node.args.get("decimals"), "round()", 0)
    if value.kind == "int" and places >= 0:
        return value
    if value.kind != "double" or not 0 <= places <= 15:
        refuse("round() of that", "write round(x, 2) of a double")
    if places == 0:
        return Typed(bound(value.sql, _rounded), "double")
    scaled, power = f"({value.sql} * 1e{places}D)", f"1e{places}D"
    result = f"({bound(scaled, _rounded)} / {power})"
    checked = bound(result, lambda r: f"(CASE WHEN abs({r}) < {_endless()} THEN {r} ELSE {value.sql} END)")
    return Typed(checked, "double")


def _endless() -> str:
    return "CAST('Infinity' AS DOUBLE)"


def _to_whole(function: str) -> Rule:
    def rule(into: Expressions, node: exp.Expression) -> Typed:
        value = exact(into.of(node.this), f"{function}()")
        if value.kind == "int":
            return Typed(double(value), "double")
        if value.kind != "double":
            refuse(f"{function}() of {value.kind}")
        whole = f"CAST({function}({{x}}) AS DOUBLE)"
        return Typed(
            bound(
                value.sql,
                lambda x: f"(CASE WHEN abs({x}) < {_WHOLE_FROM} THEN {whole.format(x=x)} ELSE {x} END)",
            ),
            "double",
        )

    return rule


def _abs(into: Expressions, node: exp.Expression) -> Typed:
    value = exact(into.of(node.this), "abs()")
    if value.kind not in ("int", "double"):
        refuse(f"abs() of {value.kind}")
    return Typed(f"abs({value.sql})", value.kind)


def _sign(into: Expressions, node: exp.Expression) -> Typed:
    value = exact(into.of(node.this), "sign()")
    if value.kind not in ("int", "double"):
        refuse(f"sign() of {value.kind}")
    return Typed(
        f"(CASE WHEN {value.sql} > 0 THEN 1 WHEN {value.sql} < 0 THEN -1 WHEN {value.sql} = 0 THEN 0 END)",
        "int",
    )


def _guarded(function: str, wrong: str, message: str) -> Callable[[str], str]:
    def body(x: str) -> str:
        return f"(CASE WHEN {x} {wrong} THEN raise_error('{message}') ELSE {function}({x}) END)"

    return body


_ROOT: Final = _guarded("sqrt", "< 0", "cannot take square root of a negative number")
_LOGARITHMS: Final = {
    None: _guarded("ln", "<= 0", "cannot take logarithm of zero or of a negative number"),
    "10": _guarded("log10", "<= 0", "cannot take logarithm of zero or of a negative number"),
    "2": _guarded("log2", "<= 0", "cannot take logarithm of zero or of a negative number"),
}


def _sqrt(into: Expressions, node: exp.Expression) -> Typed:
    return Typed(bound(double(into.of(node.this)), _ROOT), "double")


def _ln(into: Expressions, node: exp.Expression) -> Typed:
    return Typed(bound(double(into.of(node.this)), _LOGARITHMS[None]), "double")


def _log(into: Expressions, node: exp.Expression) -> Typed:
    """DuckDB's log(x) is that of base 10; sqlglot writes log10(x) and log2(x) with the base first."""
    base, value = node.this, node.args.get("expression")
    if value is None:
        return Typed(bound(double(into.of(base)), _LOGARITHMS["10"]), "double")
    if not isinstance(base, exp.Literal) or str(base.this) not in ("10", "2"):
        refuse("log() of that base", "write ln(x) / ln(base)")
    return Typed(bound(double(into.of(value)), _LOGARITHMS[str(base.this)]), "double")


def _doubles(function: str, *parts: str) -> Rule:
    def rule(into: Expressions, node: exp.Expression) -> Typed:
        values = [double(into.of(node.args[part])) for part in parts]
        return Typed(f"{function}({', '.join(values)})", "double")

    return rule


def _isnan(into: Expressions, node: exp.Expression) -> Typed:
    value = double(into.of(node.this))
    return Typed(f"(CASE WHEN {value} IS NOT NULL THEN isnan({value}) END)", "bool")


def _number(node: exp.Expression | None, where: str, default: int | None = None) -> int:
    if node is None and default is not None:
        return default
    if not isinstance(node, exp.Literal) or node.is_string or not str(node.this).isdigit():
        refuse(f"{where} with a number that is not written out", "write a whole number, not negative")
    return int(str(node.this))


def _texts(form: str, kind: str, *parts: str) -> Rule:
    def rule(into: Expressions, node: exp.Expression) -> Typed:
        values = [into.of(node.args[part]) for part in parts]
        if any(each.kind not in ("text", "null") for each in values):
            refuse(
                "a text function of what is no text", "write CAST(x AS VARCHAR) where x is a number or date"
            )
        return Typed(form.format(*(each.sql for each in values)), kind)

    return rule


def _substring(into: Expressions, node: exp.Expression) -> Typed:
    value = into.of(node.this)
    start = _number(node.args.get("start"), "substring()")
    if value.kind != "text" or start < 1:
        refuse("that substring()", "count from 1, and write the numbers out")
    length = node.args.get("length")
    more = f", {_number(length, 'substring()')}" if length is not None else ""
    return Typed(f"substring({value.sql}, {start}{more})", "text")


def _side(function: str) -> Rule:
    def rule(into: Expressions, node: exp.Expression) -> Typed:
        value = into.of(node.this)
        if value.kind != "text":
            refuse(f"{function}() of {value.kind}")
        return Typed(f"{function}({value.sql}, {_number(node.expression, f'{function}()')})", "text")

    return rule


def _split_part(into: Expressions, node: exp.Expression) -> Typed:
    value, delimiter = into.of(node.this), into.of(node.args["delimiter"])
    place = _number(node.args["part_index"], "split_part()")
    if value.kind != "text" or not delimiter.text or place < 1:
        refuse("that split_part()", "write split_part(x, ' ', 1), counting from 1")
    return Typed(f"split_part({value.sql}, {delimiter.sql}, {place})", "text")


def as_text(value: Typed) -> str:
    """A value as text, where both engines write it alike."""
    if value.kind in ("text", "null"):
        return value.sql
    if value.kind in ("int", "date", "bool"):
        return f"CAST({value.sql} AS STRING)"
    return refuse(f"a text made of {value.kind}", "round it to a whole number first: CAST(x AS BIGINT)")


def _concat(into: Expressions, node: exp.Expression) -> Typed:
    """DuckDB's concat() passes over NULL, unlike ||."""
    parts = ", ".join(f"coalesce({as_text(each)}, '')" for each in into.all(node.expressions))
    return Typed(f"concat({parts})", "text")


def _pipe(into: Expressions, node: exp.Expression) -> Typed:
    return Typed(f"concat({as_text(into.of(node.this))}, {as_text(into.of(node.expression))})", "text")


def _like(function: str) -> Rule:
    def rule(into: Expressions, node: exp.Expression) -> Typed:
        value, pattern = into.of(node.this), into.of(node.expression)
        if value.kind != "text" or pattern.text is None or "\\" in pattern.text:
            refuse(f"that {function}", "write the pattern out, without backslashes")
        word = f"NOT {function}" if node.args.get("negate") else function
        return Typed(f"({value.sql} {word} {pattern.sql})", "bool")

    return rule


def _replace(into: Expressions, node: exp.Expression) -> Typed:
    value, old, new = (into.of(node.args[part]) for part in ("this", "expression", "replacement"))
    if value.kind != "text" or not old.text or new.text is None:
        refuse("that replace()", "write both texts out")
    return Typed(f"replace({value.sql}, {text_literal(old.text)}, {text_literal(new.text)})", "text")


_X: Final = frozenset({"this"})
_XY: Final = frozenset({"this", "expression"})

FUNCTIONS: Final[dict[type[exp.Expression], tuple[Rule, frozenset[str]]]] = {
    exp.Round: (_round, frozenset({"this", "decimals"})),
    exp.Floor: (_to_whole("floor"), _X),
    exp.Ceil: (_to_whole("ceil"), _X),
    exp.Abs: (_abs, _X),
    exp.Sign: (_sign, _X),
    exp.Sqrt: (_sqrt, _X),
    exp.Ln: (_ln, _X),
    exp.Log: (_log, _XY),
    exp.Exp: (_doubles("exp", "this"), _X),
    exp.Pow: (_doubles("power", "this", "expression"), _XY),
    exp.IsNan: (_isnan, _X),
    exp.Length: (_texts("CAST(length({0}) AS BIGINT)", "int", "this"), _X),
    exp.Trim: (_texts("trim({0})", "text", "this"), _X),
    exp.StartsWith: (_texts("startswith({0}, {1})", "bool", "this", "expression"), _XY),
    exp.EndsWith: (_texts("endswith({0}, {1})", "bool", "this", "expression"), _XY),
    exp.Contains: (_texts("contains({0}, {1})", "bool", "this", "expression"), _XY),
    exp.StrPosition: (
        _texts("CAST(instr({0}, {1}) AS BIGINT)", "int", "this", "substr"),
        frozenset({"this", "substr"}),
    ),
    exp.Substring: (_substring, frozenset({"this", "start", "length"})),
    exp.Left: (_side("left"), _XY),
    exp.Right: (_side("right"), _XY),
    exp.SplitPart: (_split_part, frozenset({"this", "delimiter", "part_index"})),
    exp.Concat: (_concat, frozenset({"expressions"})),
    exp.DPipe: (_pipe, _XY),
    exp.Like: (_like("LIKE"), _XY | {"negate"}),
    exp.Replace: (_replace, frozenset({"this", "expression", "replacement"})),
}
"""Rules, and the parts of the node that each knows."""
