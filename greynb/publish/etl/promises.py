"""The contracts of a plan, as declared: what must hold before anything is published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from greynb.publish.etl.reading import Value

Bound = int | float | str | date | datetime
_KEYS: Final = ("accepted", "foreign_keys", "fresh", "not_null", "range", "rows", "unique")
_ENDS: Final = ("max", "min")


@dataclass(frozen=True, slots=True)
class Range:
    """Inclusive bounds of a column, or of a number of rows; None where it is open.

    Bounds are numbers, or dates and times without zone; a column within must hold the same.
    """

    low: Bound | None
    high: Bound | None

    def __str__(self) -> str:
        if self.high is None:
            return f"at least {self.low}"
        return f"at most {self.high}" if self.low is None else f"from {self.low} to {self.high}"


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the newest value of a column may be.

    Attributes
    ----------
    max_age
        Counted from the time of the publication.
    format
        As in `Wish`; None for ISO 8601.
    zone
        What times without an offset mean.
    """

    max_age: timedelta
    format: str | None
    zone: str


@dataclass(frozen=True, slots=True)
class Contract:
    """What must hold for one table; columns of `range`, `accepted` and `fresh` come with their rule."""

    table: str
    rows: Range | None = None
    not_null: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    range: tuple[tuple[str, Range], ...] = ()
    accepted: tuple[tuple[str, tuple[str | int | float, ...]], ...] = ()
    fresh: tuple[tuple[str, Freshness], ...] = ()
    foreign_keys: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A statement that must return no rows."""

    name: str
    sql: str


def read_contracts(value: Value) -> Iterator[Contract]:
    """Read ``[contracts.table]``."""
    for table, each in value.items().items():
        found = each.known(_KEYS)
        columns = {key: found[key].items() for key in ("range", "accepted", "fresh") if key in found}
        yield Contract(
            table,
            rows=_rows(found["rows"]) if "rows" in found else None,
            not_null=found["not_null"].texts() if "not_null" in found else (),
            unique=found["unique"].each("a list of columns, or of lists of columns", Value.names)
            if "unique" in found
            else (),
            range=tuple((name, _range(rule)) for name, rule in columns.get("range", {}).items()),
            accepted=tuple((name, rule.scalars()) for name, rule in columns.get("accepted", {}).items()),
            fresh=tuple((name, _freshness(rule)) for name, rule in columns.get("fresh", {}).items()),
            foreign_keys="foreign_keys" in found and found["foreign_keys"].flag(),
        )


def read_queries(value: Value) -> Iterator[Query]:
    """Read ``[checks]``: a name and a statement each."""
    from greynb.databases.sqltext import split_statements

    for name, each in value.items().items():
        if len(split_statements(each.text(), "sqlite")) != 1:
            raise each.error("must be one SQL statement")
        yield Query(name, each.text())


def _rows(value: Value) -> Range:
    found = value.known(_ENDS)
    return _ordered(value, *(found[end].count() if end in found else None for end in ("min", "max")))


def _range(value: Value) -> Range:
    found = value.known(_ENDS)
    return _ordered(value, *(_bound(found[end]) if end in found else None for end in ("min", "max")))


def _bound(value: Value) -> Bound:
    given = value.given
    if isinstance(given, datetime) and given.tzinfo is not None:
        raise value.error("must have no zone: the columns have none")
    if isinstance(given, bool) or not isinstance(given, int | float | date) or given != given:
        raise value.wrong("a number, a date or a time as in 2025-07-01T10:00:00, without quotes")
    return given


def _ordered(value: Value, low: Bound | None, high: Bound | None) -> Range:
    if low is None and high is None:
        raise value.error("must have a min or a max")
    if low is not None and high is not None:
        if _family(low) != _family(high):
            raise value.error(f"has a min and a max of different kinds: {low} and {high}")
        if low > high:  # type: ignore[operator]  # of one family, so they compare
            raise value.error(f"has a min above its max: {low} and {high}")
    return Range(low, high)


def _family(bound: Bound) -> type:
    return float if isinstance(bound, int | float) else type(bound)


def _freshness(value: Value) -> Freshness:
    found = value.known(("format", "max_age", "zone"))
    if "max_age" not in found:
        raise value.error('must have a max_age, as in "36 hours"')
    given = found["format"].text() if "format" in found else "iso"
    zone = found["zone"].zone() if "zone" in found else "UTC"
    return Freshness(found["max_age"].age(), None if given.lower() == "iso" else given, zone)
