"""From a recorded result and what its query gives now to a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from greynb.databases.typedjson import decode
from greynb.errors import GreynbError, QueryInterrupted
from greynb.report.canonical import content_of
from greynb.report.probes import apart
from greynb.report.recording import is_float
from greynb.report.valuecodes import code
from greynb.report.verifying.matching import Comparison, compare, rows_of
from greynb.report.verifying.pairing import RELATIVE
from greynb.report.verifying.verdict import State, Verdict, short

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from greynb.report.recording import Source
    from greynb.report.verifying.again import Again

_MANY: Final = "the record keeps hashes only (more than 20,000 values), so it cannot be said where"
_SHOWN: Final = 60


def judge(source: Source, run: Callable[[Source], Again]) -> Verdict:
    """Run a recorded query and compare; an error of it is a verdict too.

    Parameters
    ----------
    source
        The record.
    run
        Runs a query.
    """
    name = _evaluation(source) if source.kind == "evaluation" else short(source.sql) or "a table"
    if source.kind == "unknown":
        return Verdict(name, State.UNKNOWN, "no query known: the table did not come from a cell")
    try:
        return _judged(name, source, run)
    except QueryInterrupted:
        raise
    except GreynbError as error:
        hint = (f"do: {error.hint}",) if error.hint else ()
        return Verdict(name, State.UNKNOWN, f"cannot be run again: {error.message}", notes=hint)
    except (ValueError, ArithmeticError, RecursionError) as error:
        return Verdict(name, State.UNKNOWN, f"the record is damaged: {error}")


def _evaluation(source: Source) -> str:
    """Name one frame of an evaluation, by its part and how it was grouped, as several stand in a report."""
    part = str(source.arguments.get("part", "table"))
    by = f" by {source.arguments['by']}" if part == "groups" else ""
    return f"evaluation, {part}{by}"[:_SHOWN]


def _judged(name: str, source: Source, run: Callable[[Source], Again]) -> Verdict:
    again = run(source)
    where = () if again.same or source.role == "staging" else (_elsewhere(source),)
    if source.derived:
        return _derived(name, source, again, where)
    state, found, first = _compared(source, again.frame)
    if state is State.DIFFERS:
        where = (*where, _why(source, again, run))
    first_told = first.first if first else None
    return Verdict(name, state, found, again.on, first_told, where)


def _elsewhere(source: Source) -> str:
    return (
        f"{source.version} is no longer kept, so the current version was read"
        if source.version
        else "the record names no version"
    )


def _why(source: Source, again: Again, run: Callable[[Source], Again]) -> str:
    """Tell data that changed from a table that was changed, and from a query that is a game of chance."""
    if content_of(run(source).frame).hash != content_of(again.frame).hash:
        return "the query does not give the same result each time it runs"
    if again.same:
        return "this is the version it was made from: the table was changed after its query"
    return "the data has changed since, or the table was changed after its query"


def _compared(source: Source, frame: pd.DataFrame) -> tuple[State, str, Comparison | None]:
    rows = f"{len(frame):,} row{'' if len(frame) == 1 else 's'}"
    names = tuple(map(str, frame.columns))
    if names != source.columns:
        return State.DIFFERS, f"other columns: {', '.join(names)} now, {', '.join(source.columns)} then", None
    floats = [
        was and kind.kind in "iuf" for was, kind in zip(is_float(source.types), frame.dtypes, strict=True)
    ]
    content = content_of(frame, floats if source.sums else None)
    if content.hash == source.hash:
        return State.EXACT, f"{State.EXACT.value} ({rows})", None
    if source.values is None:
        farthest = apart(source.sums or {}, content.sums or {})
        if farthest is not None and farthest <= RELATIVE:
            return State.CLOSE, f"{State.CLOSE.value} ({rows}, compared by sums: {farthest:.1g})", None
        return State.DIFFERS, _by_hashes(source, content.columns, len(frame)), None
    then = [[decode(value) for value in row] for row in source.values]
    compared = compare(source.columns, then, list(rows_of(frame)))
    if compared.equal:
        found = f"{State.CLOSE.value} ({rows}, largest relative difference {compared.largest:.1g})"
        return State.CLOSE, found, compared
    parts = [
        f"{compared.values:,} of {compared.of:,} values differ" if compared.values else "",
        f"{compared.gone:,} of {len(then):,} rows gone" if compared.gone else "",
        f"{compared.new:,} row{'' if compared.new == 1 else 's'} new" if compared.new else "",
    ]
    return State.DIFFERS, ", ".join(part for part in parts if part), compared


def _by_hashes(source: Source, now: tuple[str, ...], rows: int) -> str:
    if rows != source.rows:
        return f"differs: {source.rows:,} rows then, {rows:,} now; {_MANY}"
    pairs = zip(source.columns, source.column_hashes, now, strict=True)
    changed = [name for name, before, after in pairs if before != after]
    where = f"the columns {', '.join(changed)}" if changed else "how the columns go together"
    return f"differs in {where}; {_MANY}"


def _derived(name: str, source: Source, again: Again, where: tuple[str, ...]) -> Verdict:
    """Look for the rows of a table that was filtered, or lost columns, in what its query gives."""
    note = "the table has other rows or columns than its query gave"
    shared = [column for column in source.columns if column in map(str, again.frame.columns)]
    if source.values is None:
        return Verdict(name, State.UNKNOWN, f"cannot be compared: {_MANY}", again.on, notes=(note, *where))
    if len(shared) < len(source.columns):
        added = ", ".join(column for column in source.columns if column not in shared)
        found = f"cannot be compared: columns were added after the query ({added})"
        return Verdict(
            name, State.UNKNOWN, found, again.on, notes=(note, _numbers(source, again.frame), *where)
        )
    frame = again.frame.set_axis([str(column) for column in again.frame.columns], axis=1)[shared]
    then = [[decode(value) for value in row] for row in source.values]
    compared = compare(source.columns, then, list(rows_of(frame)))
    if compared.values or compared.gone:
        missing = compared.gone + compared.values
        found = f"{missing:,} of its {compared.of:,} values or rows are not what the query gives"
        return Verdict(name, State.DIFFERS, found, again.on, compared.first, (note, *where))
    found = f"its {len(then):,} rows are among the {len(frame):,} that the query gives"
    return Verdict(name, State.EXACT, found, again.on, notes=(note, *where))


def _numbers(source: Source, frame: pd.DataFrame) -> str:
    """Say how many numbers of a table that was made otherwise are numbers of its query: it may be turned."""
    given = {code(value) for row in rows_of(frame) for value in row}
    found = [code(decode(value)) for row in source.values or () for value in row]
    numbers = [each for each in found if each[:1] in (b"i", b"f")]
    from_query = sum(each in given for each in numbers)
    return f"{from_query:,} of its {len(numbers):,} numbers are among those that the query gives"
