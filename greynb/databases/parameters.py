"""The parameters of a cell: ``:name`` and ``$name``, bound to the notebook's variables, never spliced.

Values go to the engine as bound values; `greynb.databases.values` says how. What is rewritten in the text is
only the mark itself, ``:name`` to ``$name`` except for SQLite, and a list that stands alone in ``IN``:

===========================  =======================================================================
``IN (:ids)`` or ``IN :ids``
===========================  =======================================================================
1 to 1,000 values            ``IN (:ids__1, :ids__2, …)``, so that the engine compares each value just
                             as it would a single one
more, or none, in DuckDB     ``IN (SELECT unnest($ids))``
more, or none, in SQLite     ``IN (SELECT value FROM json_each(:ids))``: at most 32,766 values can be bound
more, or none, in PostgreSQL ``= ANY ($ids)``, and ``<> ALL ($ids)`` for ``NOT IN``
===========================  =======================================================================

All three give SQL's own answers with NULL and for empty lists (``IN ()`` is false, ``NOT IN ()`` true).
Line breaks never change, so line numbers in errors are those of the cell.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from greynb.databases.sqltext import Dialect, Token, pointed, tokens
from greynb.databases.values import Unbindable, bindable
from greynb.errors import ParameterError

SEPARATE: Final = 1_000
"""The longest list whose values are bound one by one."""


@dataclass(frozen=True, slots=True)
class Bound:
    """SQL that is ready for the engine.

    Attributes
    ----------
    sql
        The text, with the marks that the engine wants.
    parameters
        The value of each mark in it, by name without its prefix.
    names
        The notebook's variables that were used, in order of appearance.
    """

    sql: str
    parameters: dict[str, object]
    names: tuple[str, ...]


def bind(sql: str, namespace: Mapping[str, object], *, dialect: Dialect) -> Bound:
    """Bind the parameters of a cell to variables.

    Parameters
    ----------
    sql
        One or more statements.
    namespace
        The variables by name.
    dialect
        The engine that will run it.

    Raises
    ------
    ParameterError
        A variable is missing or cannot be bound, or the text uses another way of putting values in
        (``{x}``, ``?``, ``:row.column``).
    """
    found, seen, plain = _read(sql, dialect)
    if plain:
        return Bound(sql, {}, ())
    lookup = _Lookup(sql, namespace, dialect)
    pieces: dict[int, str] = {}
    for position, token in enumerate(seen):
        if token.kind == "mark":
            raise _refused(sql, token, f"{token.text} has no value here", _MARK_HINT)
        if token.kind == "parameter":
            _refuse_access(sql, token, seen[position + 1 : position + 3], dialect)
            pieces[token.start] = lookup.mark(token, _in_list(seen, position))
            if token.start in lookup.arrays:
                pieces |= _compared_with_any(seen, position)
    text = "".join(pieces.get(token.start, token.text) for token in found)
    return Bound(text, lookup.parameters, tuple(lookup.values))


@lru_cache(maxsize=64)
def _read(sql: str, dialect: Dialect) -> tuple[Sequence[Token], Sequence[Token], bool]:
    """All tokens of a text, those that the engine sees, and whether no value belongs between them.

    Kept, since a cell is run again and again.
    """
    found = tokens(sql, dialect)
    seen = [token for token in found if token.significant]
    _refuse_templates(sql, seen, dialect)
    return tuple(found), tuple(seen), not any(token.kind in ("parameter", "mark") for token in seen)


class _Lookup:
    """The values of one cell's parameters, and the marks that stand for them."""

    def __init__(self, sql: str, namespace: Mapping[str, object], dialect: Dialect) -> None:
        self._sql = sql
        self._namespace = namespace
        self._dialect = dialect
        self._prefix = ":" if dialect == "sqlite" else "$"
        self.values: dict[str, object] = {}
        self.parameters: dict[str, object] = {}
        self.arrays: set[int] = set()
        """Where a list of PostgreSQL stands whole in an ``IN``."""

    def mark(self, token: Token, place: str | None) -> str:
        """The text to put in a parameter's place; `place` is how ``IN`` holds it, if it does."""
        name = token.text[1:]
        value = self._value(token, name)
        if not isinstance(value, list) or (place is None and self._dialect != "sqlite"):
            self.parameters[name] = value
            mark = token.text if self._dialect == "sqlite" else self._prefix + name
            # DuckDB takes IN with a bare text for a search in that text.
            return f"({mark})" if place == "bare" else mark
        if place is None:
            raise _refused(
                self._sql, token, f"{name} is a list, and SQLite has none", "write IN (:name) to look in it"
            )
        separate = 0 < len(value) <= SEPARATE
        inside = self._separate(name, value) if separate else self._whole(token, name, value)
        return inside if place == "parentheses" else f"({inside})"

    def _value(self, token: Token, name: str) -> object:
        if name not in self.values:
            if name not in self._namespace:
                raise _undefined(self._sql, token, self._namespace)
            self._refuse_same_name(token, name)
            try:
                self.values[name] = bindable(self._namespace[name], self._dialect)
            except Unbindable as error:
                hint = error.hint.format(name=name)
                raise _refused(self._sql, token, f"{name} cannot be bound: it {error}", hint) from None
        return self.values[name]

    def _refuse_same_name(self, token: Token, name: str) -> None:
        """Refuse names that DuckDB takes for one: it would bind one value to both, without a word."""
        same = next((other for other in self.values if other.casefold() == name.casefold()), None)
        if same is not None and self._dialect == "duckdb":
            hint = "give one of the two variables another name"
            raise _refused(self._sql, token, f"DuckDB cannot tell {name} from {same}", hint)

    def _separate(self, name: str, values: Sequence[object]) -> str:
        stem = f"{name}__"
        while any(f"{stem}{number}" in self._namespace for number in (1, len(values))):
            stem += "_"
        marks = [f"{stem}{number}" for number in range(1, len(values) + 1)]
        self.parameters.update(zip(marks, values, strict=True))
        return ", ".join(self._prefix + mark for mark in marks)

    def _whole(self, token: Token, name: str, values: list[object]) -> str:
        if self._dialect != "sqlite":
            self.parameters[name] = values
            if self._dialect == "duckdb":
                return f"SELECT unnest(${name})"
            self.arrays.add(token.start)
            return f"${name}"
        text = _as_json(values)
        if text is None:
            raise _refused(
                self._sql,
                token,
                f"{name} holds {len(values):,} values, some of a kind limited to {SEPARATE:,} in SQLite",
                "load them into a temporary table and join it",
            )
        self.parameters[name] = text
        return f"SELECT value FROM json_each(:{name})"


def _as_json(values: list[object]) -> str | None:
    """The values as a JSON array, or None where SQLite would not read the very same ones from it."""
    try:
        text = json.dumps(values, allow_nan=False)
    except (TypeError, ValueError):
        return None
    con = sqlite3.connect(":memory:")
    try:
        back = [row[0] for row in con.execute("SELECT value FROM json_each(?)", (text,))]
    finally:
        con.close()
    return text if back == values else None


def _in_list(seen: Sequence[Token], position: int) -> str | None:
    """How ``IN`` holds the parameter at a position: alone in ``"parentheses"``, ``"bare"``, or not at all."""

    def word(offset: int) -> str:
        index = position + offset
        return seen[index].text.upper() if 0 <= index < len(seen) else ""

    if word(-1) == "IN":
        # [x FOR x IN $list] is a list comprehension of DuckDB.
        return None if word(-3) == "FOR" else "bare"
    return "parentheses" if (word(-2), word(-1), word(1)) == ("IN", "(", ")") else None


def _compared_with_any(seen: Sequence[Token], position: int) -> dict[int, str]:
    """What takes the place of ``IN`` or ``NOT IN`` before a whole list of PostgreSQL.

    Its type is that of the other side, as ``unnest`` of an empty list could not have it.
    """
    before = next(index for index in range(position - 1, -1, -1) if seen[index].text.upper() == "IN")
    negated = before > 0 and seen[before - 1].text.upper() == "NOT"
    if negated:
        return {seen[before - 1].start: "<>", seen[before].start: "ALL"}
    return {seen[before].start: "= ANY"}


def _undefined(sql: str, token: Token, namespace: Mapping[str, object]) -> ParameterError:
    name = token.text[1:]
    public = [each for each in namespace if not each.startswith("_")]
    close = get_close_matches(name, public, n=1)
    folded = [each for each in public if each.casefold() == name.casefold()]
    suggestions = folded or close
    hint = f"did you mean :{suggestions[0]}?" if suggestions else f"assign it first: {name} = …"
    return _refused(sql, token, f"there is no variable {name}", hint)


def _refuse_access(sql: str, token: Token, following: Sequence[Token], dialect: Dialect) -> None:
    """Refuse ``:race.id``: only whole variables are bound."""
    if len(following) < 2 or following[0].start != token.end:
        return
    dotted = following[0].text == "." and following[1].kind in ("name", "quoted")
    if dotted or (dialect == "sqlite" and following[0].text.startswith("[")):
        name = token.text[1:]
        raise _refused(
            sql,
            token,
            "only whole variables can be bound, no attributes or items",
            f"assign it first: value = {name}{'.…' if dotted else '[…]'}, then write :value",
        )


def _refuse_templates(sql: str, seen: Sequence[Token], dialect: Dialect) -> None:
    """Refuse ``{x}`` and ``{{x}}``, the habits of f-strings and templates; DuckDB's structs pass."""
    for position, token in enumerate(seen[:-1]):
        if token.text != "{":
            continue
        after = seen[position + 1]
        closing = seen[position + 2].text if position + 2 < len(seen) else ""
        doubled = after.text in ("{", "%") and after.start == token.end
        if doubled or (after.kind == "name" and closing in ("}", ".", "[", "(")):
            name = seen[position + 2] if doubled and position + 2 < len(seen) else after
            written = name.text if name.kind == "name" else "name"
            raise _refused(
                sql,
                token,
                "variables are not put into the text of a statement",
                f"write :{written} without braces and quotes, and its value is bound",
            )


def _refused(sql: str, token: Token, message: str, hint: str) -> ParameterError:
    return ParameterError(message, detail=pointed(sql, token.start, len(token.text)), hint=hint)


_MARK_HINT: Final = "write :name, and the notebook's variable of that name is bound"
