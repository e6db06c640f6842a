"""Running the evaluation's SQL in one go, on one version of the analytics file."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from greynb.databases.identifiers import fold, quote
from greynb.databases.parameters import bind
from greynb.errors import QueryError, UsageError
from greynb.evaluation import counting, scoring, selection
from greynb.evaluation.arguments import Arguments
from greynb.evaluation.counting import AMBIGUOUS
from greynb.evaluation.grouping import Grouping, grouping
from greynb.evaluation.selection import Schema, price_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from greynb.databases.making import Making
    from greynb.databases.reading import CellSession
    from greynb.databases.result import Ran

Columns = Mapping[str, "NDArray[Any]"]
Waiting = Callable[[Callable[[], "list[Ran]"]], "list[Ran]"]

FRAME_NAME: Final = "evaluated_predictions"
"""The name under which the SQL reads a DataFrame of predictions."""

_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "race_metadata": ("race_id", "race_date"),
    "dog_race_data": ("race_id", "dog_clean_name", "box_number", "finish_position", "was_scratched"),
    "predictions": ("race_id", "dog_clean_name", "predicted_probability"),
}
# What reads another is dropped before it.
_TEMPORARY: Final = ("ranks", "reserves", "picks", "chances", "groups", "fields", "starters", "races")


@dataclass(frozen=True, slots=True)
class Scores:
    """The columns of what `greynb.evaluation.scoring` gives; by group each has a column ``grouped`` too.

    ``method`` is a number: the place in `greynb.evaluation.metrics.METHODS`.

    Attributes
    ----------
    sums
        One row per race and method.
    chances
        One row per starter and method.
    bins
        One row per race, method and reliability bin.
    """

    sums: Columns
    chances: Columns
    bins: Columns


@dataclass(frozen=True, slots=True)
class Read:
    """What the SQL gave.

    Attributes
    ----------
    sql, parameters
        The script as it was run, and the values of the names in it.
    setup
        What made the table of predictions, where it is a temporary one.
    counts
        See `greynb.evaluation.counting`.
    races
        One row per race that counts: ``race`` (its number), ``race_id``, ``day``, ``start``; in that order.
    odds
        The columns of `greynb.evaluation.scoring.select_odds`.
    overall, grouped
        The scores of all, and by group where that was asked for.
    groups
        The values of the groups, by their number.
    notices
        What the session had to say of the tables.
    """

    sql: str
    parameters: Mapping[str, object]
    setup: tuple[Making, ...]
    counts: pd.DataFrame
    races: pd.DataFrame
    odds: Columns
    overall: Scores
    grouped: Scores | None
    groups: tuple[Any, ...]
    notices: tuple[str, ...]


def read(session: CellSession, arguments: Arguments, frame: object, waiting: Waiting) -> Read:
    """Run the SQL.

    Parameters
    ----------
    session
        Of the analytics file.
    arguments
        What to evaluate.
    frame
        The predictions, where they are a DataFrame.
    waiting
        Runs what runs a query, so that it can be interrupted.

    Raises
    ------
    UsageError
        A column is missing, or what tells which of two predictions is the last.
    QueryError
        A table is missing.
    """
    variables = {} if frame is None else {FRAME_NAME: frame}
    table = arguments.predictions if frame is None else FRAME_NAME
    schema, setup = _looked_up(session, table, variables, waiting)
    _require(schema.starters, arguments.price, "dog_race_data")
    price = price_of(schema, arguments.price)
    group = arguments.by and grouping(arguments.by, schema.races, schema.starters, schema.predictions, price)
    statements = _statements(schema, arguments, group or None)
    sql = ";\n\n".join(statements.values()) + ";\n"
    days = {name: day for name in ("since", "until") if (day := getattr(arguments, name)) is not None}
    bound = bind(sql, days, dialect="duckdb")
    try:
        ran = waiting(lambda: session.fetch(bound.sql, bound.parameters, variables=variables))
    finally:
        session.fetch(";".join(f"DROP TABLE IF EXISTS evaluation_{name}" for name in _TEMPORARY))
    return _found(sql, days, setup, dict(zip(statements, ran, strict=True)), group or None)


def _looked_up(
    session: CellSession, table: str, variables: Mapping[str, object], waiting: Waiting
) -> tuple[Schema, tuple[Making, ...]]:
    """Look up the columns of the tables, and what made those that are temporary."""
    tables = {"race_metadata": "race_metadata", "dog_race_data": "dog_race_data", "predictions": table}
    try:
        ran = waiting(lambda: [_empty(session, name, variables) for name in tables.values()])
    except QueryError as error:
        error.detail = None  # the line of a statement that nobody wrote
        raise
    columns: list[dict[str, str]] = []
    for (known, shown), each in zip(tables.items(), ran, strict=True):
        assert each.fetched is not None
        columns.append(dict(zip(map(fold, each.fetched.names), each.fetched.types, strict=True)))
        for column in _NEEDED[known]:
            _require(columns[-1], column, "the DataFrame" if shown == FRAME_NAME else shown)
    races, starters, predictions = columns
    return Schema(races, starters, predictions, table), ran[-1].result.setup


def _empty(session: CellSession, table: str, variables: Mapping[str, object]) -> Ran:
    """The columns of one table, without a row."""
    (ran,) = session.fetch(f"SELECT * FROM {quote(table)} LIMIT 0", variables=variables)
    return ran


def _require(columns: Mapping[str, str], column: str, table: str) -> None:
    if fold(column) not in columns:
        near = difflib.get_close_matches(fold(column), columns, n=1)
        listed = "docs/evaluation.md lists the columns that are needed"
        raise UsageError(
            f"{table} has no column {column}", hint=f"did you mean {near[0]}?" if near else listed
        )


def _statements(schema: Schema, arguments: Arguments, group: Grouping | None) -> dict[str, str]:
    """The script, by what each statement makes; what gives no rows comes first."""
    grouped = group is not None
    made = {
        "races": selection.select_races(schema, arguments, group),
        "starters": selection.select_starters(schema, arguments, group),
        "fields": selection.SELECT_FIELDS,
        "groups": selection.SELECT_GROUPS,
        "chances": selection.select_chances(grouped),
        "picks": scoring.SELECT_PICKS,
        "reserves": scoring.SELECT_RESERVES,
        "counts": counting.select_counts(schema),
        "raced": selection.SELECT_RACED,
        "odds": scoring.select_odds(),
        **_scores("overall", arguments, False),
    }
    if not grouped:
        del made["groups"]
        return made
    return {**made, "values": selection.SELECT_VALUES, **_scores("grouped", arguments, True)}


def _scores(name: str, arguments: Arguments, grouped: bool) -> dict[str, str]:
    return {
        f"{name}_ranks": scoring.select_ranks(grouped),
        f"{name}_sums": scoring.select_sums(arguments.kelly, grouped),
        f"{name}_chances": scoring.select_fitted(grouped),
        f"{name}_bins": scoring.select_bins(arguments.bins, grouped),
    }


def _found(
    sql: str,
    days: Mapping[str, object],
    setup: tuple[Making, ...],
    ran: Mapping[str, Ran],
    group: Grouping | None,
) -> Read:
    frames = {name: frame for name, each in ran.items() if (frame := each.finished().frame) is not None}
    columns = {name: {str(key): _array(df[key]) for key in df} for name, df in frames.items()}
    overall, grouped = (
        Scores(*(columns[f"{name}_{part}"] for part in ("sums", "chances", "bins"))) if wanted else None
        for name, wanted in (("overall", True), ("grouped", group is not None))
    )
    assert overall is not None
    _refuse_ambiguous(frames["counts"])
    return Read(
        sql,
        days,
        setup,
        frames["counts"],
        frames["raced"],
        columns["odds"],
        overall,
        grouped,
        _values(frames["values"]["value"], group) if group else (),
        tuple(dict.fromkeys(note for each in ran.values() for note in each.result.notices)),
    )


def _array(values: pd.Series[Any]) -> NDArray[Any]:
    """A column as an array; a method as its place in `greynb.evaluation.metrics.METHODS`."""
    return (values.cat.codes if values.dtype == "category" else values).to_numpy()


def _refuse_ambiguous(counts: pd.DataFrame) -> None:
    """Refuse predictions that differ where nothing says which is the last."""
    rows = counts["what"] == AMBIGUOUS
    if rows.any():
        raise UsageError(
            f"{int(counts['number'][rows].sum()):,} starters have different predictions, and nothing says"
            " which is the last",
            hint="the predictions need a column timestamp, or an id of whole numbers",
        )


def _values(values: pd.Series[Any], group: Grouping) -> tuple[Any, ...]:
    known = (None if missing else value for value, missing in zip(values, values.isna(), strict=True))
    return tuple(group.labels[int(v)] if group.labels and v is not None else v for v in known)
