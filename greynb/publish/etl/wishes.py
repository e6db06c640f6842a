"""Giving columns the types that the plan wishes for; a value that is not of its type is lost, and counted."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from greynb.databases.identifiers import literal, quote
from greynb.errors import PublishError
from greynb.publish.etl.declaring import needed_type
from greynb.publish.etl.patterns import column_matches, is_glob
from greynb.publish.etl.plan import Plan, Wish
from greynb.publish.etl.reading import did_you_mean
from greynb.publish.etl.report import Converted
from greynb.publish.etl.rewriting import rewrite
from greynb.publish.etl.tables import Column, Notice, Relation, relations
from greynb.publish.etl.values import Stored, converted
from greynb.publish.etl.watching import Watch

EXAMPLES: Final = 5
_REMEMBERED: Final = 65_536
_LONGEST: Final = 60
_AT_ONCE: Final = 100
_RIGHT: Final = {  # what a census reads as that kind already
    "timestamp": "typeof({c}) = 'text' AND ({date} OR {stamp})",
    "date": "typeof({c}) = 'text' AND {date}",
    "integer": "typeof({c}) = 'integer'",
    "real": "typeof({c}) = 'real'",
    "text": "typeof({c}) = 'text'",
    "boolean": "typeof({c}) = 'integer' AND {c} IN (0, 1)",
}


@dataclass
class Conversion:
    """The conversion of one column: what is declared, and what becomes of its values."""

    wish: Wish
    column: Column
    declared: str | None
    codec: str
    right: int = 0
    filled: int = 0
    rows: int = 0
    changed: int = 0
    missing: int = 0
    lost: int = 0
    examples: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Dates repeat. The kind is part of the key: 1 and 1.0 are equal, but not the same.
        self._known = lru_cache(_REMEMBERED)(self._outcome)

    def call(self, kind: str, raw: Stored, key: object) -> Stored | None:
        """Convert one value; called by SQLite, with texts as their bytes."""
        outcome, result = self._known(kind, raw)
        if outcome == "changed":
            self.changed += 1
        elif outcome == "missing":
            self.missing += 1
        else:
            self.lost += 1
            if len(self.examples) < EXAMPLES:
                self.examples.append(_shown(raw, kind, self.codec, key))
        return result

    def _outcome(self, kind: str, raw: Stored) -> tuple[str, Stored | None]:
        try:
            value = raw.decode(self.codec) if kind == "text" and isinstance(raw, bytes) else raw
            if value in self.wish.missing:
                return "missing", None
            return "changed", converted(value, self.wish)
        except ValueError:
            return "lost", None

    def result(self, table: str) -> Converted:
        """Sum up."""
        nulls = self.rows - self.filled + self.missing
        return Converted(
            table,
            self.column.name,
            self.wish.kind,
            self.rows,
            nulls,
            self.right + self.changed,
            self.changed,
            self.lost,
            tuple(self.examples),
            self.declared,
        )


def fulfil(con: sqlite3.Connection, plan: Plan, watch: Watch, notice: Notice) -> tuple[Converted, ...]:
    """Convert the columns that the plan wishes for.

    Raises
    ------
    PublishError
        A column is not there, more values would be lost than allowed, or a key does not hold any more.
    """
    done: list[tuple[Relation, Conversion]] = []
    for relation, wishes in _assigned(con, plan, notice):
        codec = str(con.execute("PRAGMA encoding").fetchone()[0]).lower()
        work = [_conversion(relation, column, wish, codec) for column, wish in wishes]
        _count(con, relation, work)
        if any(each.declared or each.right < each.filled for each in work):
            _convert(con, relation, work, watch)
        done += [(relation, each) for each in work]
        watch.told(watch.fraction)
    broken = [(relation, each) for relation, each in done if each.lost > each.wish.max_lost]
    if broken:
        raise _lost_too_much(broken)
    return tuple(each.result(relation.name) for relation, each in done)


def right(kind: str, column: str, missing: Sequence[str | int | float] = ()) -> str:
    """Write the SQL condition that a value is stored as a census reads that kind."""
    from greynb.databases.census import DATE, STAMP  # late, as DuckDB comes with it

    date, stamp = DATE.format(c=column), STAMP.format(c=column)
    condition = f"({_RIGHT[kind].format(c=column, date=date, stamp=stamp)})"
    if not missing:
        return condition
    values = ", ".join(literal(each) if isinstance(each, str) else repr(each) for each in missing)
    return f"({condition} AND +{column} NOT IN ({values}))"


def _assigned(
    con: sqlite3.Connection, plan: Plan, notice: Notice
) -> list[tuple[Relation, list[tuple[Column, Wish]]]]:
    """Find each table's columns with a wish; an exact name comes before a pattern, then the plan's order."""
    found = relations(con)
    wishes = sorted(plan.wishes, key=lambda wish: is_glob(wish.pattern))
    chosen: dict[tuple[str, str], tuple[Column, Wish]] = {}
    for wish in wishes:
        fitting = [
            (relation, column)
            for relation in found.values()
            for column in relation.columns
            if column_matches(relation.name, column.name, wish.pattern)
        ]
        if is_glob(wish.pattern):
            fitting = [each for each in fitting if each[0].kind == "table" and not each[1].generated]
        if not fitting and not is_glob(wish.pattern):
            known = [f"{each.name}.{column.name}" for each in found.values() for column in each.columns]
            raise PublishError(
                f"{plan.file.name}: types: there is no column {wish.pattern}",
                hint=did_you_mean(wish.pattern, known),
            )
        if not fitting:
            notice(f"no column fits the pattern {wish.pattern}")
        for relation, column in fitting:
            chosen.setdefault((relation.name, column.name), (column, wish))
    return [
        (relation, mine)
        for relation in found.values()
        if (mine := [each for (table, _), each in chosen.items() if table == relation.name])
    ]


def _conversion(relation: Relation, column: Column, wish: Wish, codec: str) -> Conversion:
    declared = needed_type(column.declared, wish.kind)
    where = f"{relation.name}.{column.name} cannot become {wish.kind}"
    if relation.kind != "table" or column.generated:
        what = "a generated column" if relation.kind == "table" else f"of a {relation.kind}"
        raise PublishError(f"{where}: it is {what}", hint="wish for the type of what it is made from")
    keys = [each for each in relation.columns if each.key]
    if relation.rowid and keys == [column] and column.declared.upper() == "INTEGER" and declared:
        raise PublishError(f"{where}: it is the table's INTEGER PRIMARY KEY")
    if relation.strict and declared in ("DATE", "TIMESTAMP", "BOOLEAN"):
        raise PublishError(
            f"{where}: the table is STRICT, where that type cannot be declared",
            hint="make the table anew without STRICT in a transform",
        )
    return Conversion(wish, column, declared, codec)


def _count(con: sqlite3.Connection, relation: Relation, work: Sequence[Conversion]) -> None:
    """Count what is there and what is right already, in as few passes as result columns allow."""
    for begin in range(0, len(work), _AT_ONCE):
        some = work[begin : begin + _AT_ONCE]
        wanted = ", ".join(_counts(quote(each.column.name), each.wish) for each in some)
        rows, *counts = con.execute(f"SELECT count(*), {wanted} FROM {quote(relation.name)}").fetchone()
        for place, each in enumerate(some):
            each.rows, each.filled, each.right = rows, counts[2 * place], counts[2 * place + 1]


def _counts(column: str, wish: Wish) -> str:
    return f"count({column}), count(CASE WHEN {right(wish.kind, column, wish.missing)} THEN 1 END)"


def _convert(con: sqlite3.Connection, relation: Relation, work: Sequence[Conversion], watch: Watch) -> None:
    expressions: dict[str, str] = {}
    key = f"CAST({quote(relation.rowid)} AS TEXT)" if relation.rowid else "NULL"
    for place, each in enumerate(work):
        if each.right == each.filled:
            continue
        name, c = f"greynb_convert_{place}", quote(each.column.name)
        con.create_function(name, 3, watch.guarded(each.call))
        expressions[each.column.name] = (
            f"CASE WHEN {c} IS NULL OR {right(each.wish.kind, c, each.wish.missing)} THEN {c}"
            f" ELSE {name}(typeof({c}),"
            f" CASE typeof({c}) WHEN 'text' THEN CAST({c} AS BLOB) ELSE {c} END, {key}) END"
        )
    try:
        rewrite(
            con, relation, {each.column.name: each.declared for each in work if each.declared}, expressions
        )
    except sqlite3.IntegrityError as error:
        raise PublishError(
            f"the types wished for do not go with a rule of {relation.name}: {error}",
            hint="values that become the same break a key, and lost ones a NOT NULL",
        ) from error
    finally:
        for place in range(len(work)):
            con.create_function(f"greynb_convert_{place}", 3, None)


def _shown(raw: Stored, kind: str, codec: str, key: object) -> str:
    text = raw.decode(codec, "replace") if kind == "text" and isinstance(raw, bytes) else raw
    value = repr(text)
    value = value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"
    return value if key is None else f"rowid {key}: {value}"


def _lost_too_much(broken: Sequence[tuple[Relation, Conversion]]) -> PublishError:
    lines = []
    for relation, each in broken:
        lines.append(
            f"  {relation.name}.{each.column.name} as {each.wish.kind}: {each.lost:,} of {each.filled:,}"
            f" values would be lost, allowed {each.wish.max_lost:,}"
        )
        lines += [f"    {example}" for example in each.examples]
    return PublishError(
        "values are not of the type that the plan wishes for",
        detail="\n".join(lines),
        hint="correct them in a transform, say how they are meant (format, zone, missing), or raise max_lost",
    )
