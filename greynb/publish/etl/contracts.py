"""Whether the contracts of a plan hold on the finished copy; a broken one names the rows that break it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from greynb.databases.identifiers import fold, quote
from greynb.databases.sqltext import split_statements
from greynb.errors import PublishError
from greynb.publish.etl.plan import Plan, Wish
from greynb.publish.etl.promises import Bound, Contract, Freshness, Query, Range
from greynb.publish.etl.tables import Relation, find, find_column, number, relations
from greynb.publish.etl.transforms import guard
from greynb.publish.etl.values import converted
from greynb.publish.etl.watching import Watch, is_stop
from greynb.publish.etl.wishes import right

SHOWN: Final = 3
_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """A contract that was checked; `broken` says how it does not hold, `rows` names the first such rows."""

    contract: str
    broken: str | None = None
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Copy:
    """What a check needs: the copy, the time that ages are counted to, and the tables that were left out."""

    con: sqlite3.Connection
    now: datetime
    gone: frozenset[str]
    watch: Watch


def check(copy: Copy, plan: Plan) -> tuple[str, ...]:
    """Check all contracts, then complain about all that are broken; gives what was found to hold.

    Raises
    ------
    PublishError
        A contract is broken, or names a table or column that is not there.
    """
    found = relations(copy.con)
    findings: list[Finding] = []
    for contract in plan.contracts:
        relation = find(found, contract.table, f"{plan.file.name}: contracts")
        findings += _of_table(copy, relation, contract)
        copy.watch.told(copy.watch.fraction)
    findings += [_returns_nothing(copy, query) for query in plan.queries]
    if broken := [each for each in findings if each.broken is not None]:
        lines = [line for each in broken for line in (f"  {each.contract}: {each.broken}", *each.rows)]
        raise PublishError(
            f"{len(broken)} of {len(findings)} contracts are broken",
            detail="\n".join(lines),
            hint=f"nothing was published; correct the rows, or the contract in {plan.file}",
        )
    return tuple(each.contract for each in findings)


def _of_table(copy: Copy, relation: Relation, contract: Contract) -> Iterator[Finding]:
    by = f"contracts.{contract.table}"

    def known(column: str) -> str:
        return find_column(relation, column, by).name

    if contract.rows:
        yield _row_count(copy, relation, contract.rows)
    for column in contract.not_null:
        name = known(column)
        yield _rows_where(
            copy, relation, [name], f"{relation.name}.{name} not null", f"{quote(name)} IS NULL", "no value"
        )
    for columns in contract.unique:
        yield _unique(copy, relation, [known(column) for column in columns])
    for column, bounds in contract.range:
        yield _in_range(copy, relation, known(column), bounds)
    for column, values in contract.accepted:
        yield _accepted(copy, relation, known(column), values)
    for column, freshness in contract.fresh:
        yield _fresh(copy, relation, known(column), freshness)
    if contract.foreign_keys:
        yield _foreign_keys(copy, relation)


def _row_count(copy: Copy, relation: Relation, bounds: Range) -> Finding:
    rows = number(copy.con, f"SELECT count(*) FROM {quote(relation.name)}")
    what = f"{relation.name} rows {bounds}"
    low, high = bounds.low, bounds.high
    outside = (isinstance(low, int) and rows < low) or (isinstance(high, int) and rows > high)
    return Finding(what, f"it has {rows:,}" if outside else None)


def _unique(copy: Copy, relation: Relation, columns: Sequence[str]) -> Finding:
    what = f"{relation.name} unique {', '.join(columns)}"
    names = ", ".join(quote(column) for column in columns)
    filled = " AND ".join(f"{quote(column)} IS NOT NULL" for column in columns)
    doubled = (
        f"SELECT {names}, count(*) FROM {quote(relation.name)} WHERE {filled}"
        f" GROUP BY {names} HAVING count(*) > 1"
    )
    groups = number(copy.con, f"SELECT count(*) FROM ({doubled})")
    if not groups:
        return Finding(what)
    shown = copy.con.execute(f"{doubled} ORDER BY count(*) DESC, {names} LIMIT {SHOWN}").fetchall()
    lines = [
        f"{_named(columns, row)} in {row[-1]:,} rows{_where(copy, relation, columns, row)}" for row in shown
    ]
    return Finding(what, f"{groups:,} values are in several rows", _indented(lines))


def _where(copy: Copy, relation: Relation, columns: Sequence[str], row: Sequence[object]) -> str:
    """Name the first rows that hold the same values."""
    if not (key := relation.key()):
        return ""
    names = ", ".join(quote(each) for each in key)
    same = " AND ".join(f"{quote(column)} IS ?" for column in columns)
    found = copy.con.execute(
        f"SELECT {names} FROM {quote(relation.name)} WHERE {same} ORDER BY {names} LIMIT {SHOWN}",
        row[: len(columns)],
    ).fetchall()
    return f": {'; '.join(_named(key, each) for each in found)}"


def _in_range(copy: Copy, relation: Relation, column: str, bounds: Range) -> Finding:
    """NULL is within; a text beside numbers, or what is no ISO date beside dates, is not."""
    c = quote(column)
    bound = bounds.low if bounds.low is not None else bounds.high
    kind = right("timestamp", c)
    if isinstance(bound, datetime):
        value = f"CASE length({c}) WHEN 10 THEN {c} || ' 00:00:00' WHEN 16 THEN {c} || ':00' ELSE {c} END"
        value = f"replace({value}, 'T', ' ')"
    elif isinstance(bound, date):
        value = f"substr({c}, 1, 10)"
    else:
        kind, value = f"typeof({c}) IN ('integer', 'real')", c
    within = [kind]
    values: list[object] = []
    for end, sign in ((bounds.low, ">="), (bounds.high, "<=")):
        if end is not None:
            within.append(f"{value} {sign} ?")
            values.append(_stored(end))
    what = f"{relation.name}.{column} {bounds}"
    condition = f"{c} IS NOT NULL AND NOT ({' AND '.join(within)})"
    return _rows_where(copy, relation, [column], what, condition, "outside", values)


def _stored(bound: Bound) -> object:
    if isinstance(bound, datetime):
        return bound.isoformat(sep=" ")
    return bound.isoformat() if isinstance(bound, date) else bound


def _accepted(copy: Copy, relation: Relation, column: str, accepted: Sequence[str | int | float]) -> Finding:
    # The plus sign: no affinity, so that the text '1' is not the number 1.
    marks = ", ".join("?" * len(accepted))
    condition = f"{quote(column)} IS NOT NULL AND +{quote(column)} NOT IN ({marks})"
    what = f"{relation.name}.{column} one of {', '.join(map(repr, accepted))}"
    return _rows_where(copy, relation, [column], what, condition, "another value", accepted)


def _fresh(copy: Copy, relation: Relation, column: str, rule: Freshness) -> Finding:
    """The newest value that is not in the future counts: races of tomorrow do not make a table fresh."""
    wish = Wish("", "timestamp", format=rule.format, zone=rule.zone)
    local = copy.now.astimezone(ZoneInfo(rule.zone)).replace(tzinfo=None)

    def read(value: str | int | float | None) -> str | None:
        try:
            return None if value is None else str(converted(value, wish))
        except ValueError:
            return None

    copy.con.create_function("greynb_moment", 1, copy.watch.guarded(read))
    try:
        newest, filled = copy.con.execute(
            f"SELECT max(CASE WHEN m <= ? THEN m END), count(c) FROM (SELECT {quote(column)} AS c,"
            f" greynb_moment({quote(column)}) AS m FROM (SELECT DISTINCT {quote(column)}"
            f" FROM {quote(relation.name)}))",
            (local.isoformat(sep=" "),),
        ).fetchone()
    finally:
        copy.con.create_function("greynb_moment", 1, None)
    what = f"{relation.name}.{column} at most {rule.max_age} old"
    if newest is None:
        return Finding(what, f"none of its {filled:,} different values is a time until now")
    age = local - datetime.fromisoformat(newest)
    return Finding(
        what, f"the newest is {newest}, {_rounded(age.total_seconds())} old" if age > rule.max_age else None
    )


def _rounded(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours:,.1f} hours" if hours < 48 else f"{hours / 24:,.1f} days"


def _foreign_keys(copy: Copy, relation: Relation) -> Finding:
    what = f"{relation.name} foreign keys"
    try:
        found = copy.con.execute(
            "SELECT rowid, parent, fkid FROM pragma_foreign_key_check(?)", (relation.name,)
        ).fetchall()
    except sqlite3.OperationalError as error:
        if is_stop(error):
            raise
        return Finding(what, str(error))
    rows = [row for row in found if fold(row[1]) not in copy.gone]
    lines = [
        f"rowid {rowid} refers to a row that {parent} does not have" for rowid, parent, _ in rows[:SHOWN]
    ]
    return Finding(what, f"{len(rows):,} references lead nowhere" if rows else None, _indented(lines))


def _returns_nothing(copy: Copy, query: Query) -> Finding:
    what = f'check "{query.name}"'
    statement = split_statements(query.sql, "sqlite")[0].text
    reasons: list[str] = []
    try:
        copy.con.execute("PRAGMA query_only = ON")
        copy.con.set_authorizer(copy.watch.guarded(guard(reasons)))
        cursor = copy.con.execute(statement)
        rows = cursor.fetchmany(SHOWN + 1)
    except (sqlite3.Error, ValueError) as error:
        if not reasons and is_stop(error):
            raise
        reason = reasons[0] if reasons else str(error)
        raise PublishError(f"the {what} cannot be run: {reason}", detail=f"  {statement}") from error
    finally:
        copy.con.set_authorizer(None)
        copy.con.execute("PRAGMA query_only = OFF")
    if not rows:
        return Finding(what)
    names = [each[0] for each in cursor.description]
    count = "more than 3 rows" if len(rows) > SHOWN else f"{len(rows)} rows"
    cursor.close()
    return Finding(what, f"it returns {count}", _indented(_named(names, row) for row in rows[:SHOWN]))


def _rows_where(
    copy: Copy,
    relation: Relation,
    columns: Sequence[str],
    what: str,
    condition: str,
    problem: str,
    values: Sequence[object] = (),
) -> Finding:
    """Find that no row fulfils a condition."""
    table = quote(relation.name)
    rows = number(copy.con, f"SELECT count(*) FROM {table} WHERE {condition}", values)
    if not rows:
        return Finding(what)
    shown = [*relation.key(), *(column for column in columns if column not in relation.key())]
    names = ", ".join(quote(each) for each in shown)
    found = copy.con.execute(
        f"SELECT {names} FROM {table} WHERE {condition} LIMIT {SHOWN}", values
    ).fetchall()
    return Finding(what, f"{problem} in {rows:,} rows", _indented(_named(shown, row) for row in found))


def _named(names: Sequence[str], row: Sequence[object]) -> str:
    return ", ".join(f"{name} {_short(value)}" for name, value in zip(names, row, strict=False))


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _indented(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"    {line}" for line in lines)
