"""The SQL that decides which races and starters count, and why the others do not.

Each step is a temporary table that can be looked at: ``evaluation_races``, ``evaluation_starters``,
``evaluation_fields``, ``evaluation_chances``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from greynb.databases.identifiers import fold, literal, quote
from greynb.evaluation.arguments import Arguments
from greynb.evaluation.grouping import Grouping

CALLED_OFF: Final = ("abandoned", "cancelled", "canceled", "no race", "postponed", "void", "washed out")
SCRATCHED: Final = ("1", "1.0", "t", "true", "y", "yes", "scr", "scratched")
NORMALISED: Final = 0.005
"""How far a race's probabilities may be from summing to 1 before it is counted as having needed it."""

_INTEGERS: Final = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_NUMBERS: Final = (*_INTEGERS, "HUGEINT", "UBIGINT", "FLOAT", "DOUBLE", "DECIMAL")


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of the tables that are read, with DuckDB's names of their types.

    Attributes
    ----------
    races, starters, predictions
        Of race_metadata, dog_race_data and the predictions.
    table
        The name of the predictions' table.
    """

    races: Mapping[str, str]
    starters: Mapping[str, str]
    predictions: Mapping[str, str]
    table: str


def select_races(schema: Schema, arguments: Arguments, group: Grouping | None) -> str:
    """One row per race of the period, numbered in the order of their start."""
    start = "TRY_CAST(m.start_datetime AS TIMESTAMP)" if "start_datetime" in schema.races else "NULL"
    status = "lower(trim(m.race_status))" if "race_status" in schema.races else "NULL"
    newest = " ORDER BY m.id DESC" if "id" in schema.races else ""
    grouped = f", {group.sql} AS grouped" if group and group.home == "race" else ""
    limits = [
        text for text, day in (("day >= :since", arguments.since), ("day <= :until", arguments.until)) if day
    ]
    where = f"\nWHERE {' AND '.join(limits)}" if limits else ""
    return f"""\
-- The races of the period, numbered in the order of their start. Of a race entered twice, the newer entry.
CREATE OR REPLACE TEMP TABLE evaluation_races AS
SELECT *, CAST(row_number() OVER (ORDER BY day, start, race_id) AS INTEGER) AS race
FROM (
    SELECT m.race_id, TRY_CAST(m.race_date AS DATE) AS day,
           {start} AS start, {status} AS status{grouped}
    FROM race_metadata m
    WHERE m.race_id IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY m.race_id{newest}) = 1
){where}"""


def select_starters(schema: Schema, arguments: Arguments, group: Grouping | None) -> str:
    """One row per dog entered in one of these races, with its price, result and prediction."""
    home = group.home if group else None
    probability = _number("p.predicted_probability", schema.predictions["predicted_probability"])
    source = f", {group.sql} AS grouped" if group and home == "prediction" else ""
    last = ", arg_max(grouped, made) AS grouped" if home == "prediction" else ""
    grouped = {None: "", "race": "r.grouped,", "prediction": "p.grouped,"}.get(
        home, f"{group.sql} AS grouped," if group else ""
    )
    return f"""\
-- The dogs entered in them, each with its last prediction before the start.
CREATE OR REPLACE TEMP TABLE evaluation_starters AS
WITH predicted AS (
    SELECT race, dog, arg_max(probability, made) AS probability, count(*) AS predictions,
           max(probability) > min(probability) AS differing{last}
    FROM (
        SELECT r.race, p.dog_clean_name AS dog,
               {probability} AS probability,
               {_made(schema)} AS made{source}
        FROM {quote(schema.table)} p JOIN evaluation_races r ON r.race_id = p.race_id
        {_in_time(schema)})
    GROUP BY race, dog
)
SELECT r.race, d.dog_clean_name AS dog, {grouped}
       {price_of(schema, arguments.price)} AS price,
       {_place(schema)} AS place,
       {_scratched(schema)} AS scratched,
       p.probability, p.predictions, p.differing
FROM dog_race_data d
JOIN evaluation_races r ON r.race_id = d.race_id
LEFT JOIN predicted p ON p.race = r.race AND p.dog = d.dog_clean_name
WHERE d.dog_clean_name <> ''"""


SELECT_FIELDS: Final = f"""\
-- The field of each race, and why it does not count: NULL where it does.
CREATE OR REPLACE TEMP TABLE evaluation_fields AS
WITH ran AS (
    SELECT race, count(*) AS runners, count(DISTINCT dog) AS dogs, count(place) AS placed,
           count(*) FILTER (place = 1) AS winners, count(probability) AS predicted,
           count(*) FILTER (NOT isfinite(probability) OR probability < 0) AS unusable,
           sum(probability) AS total, count(price) AS priced, sum(1 / price) AS book
    FROM evaluation_starters WHERE NOT scratched GROUP BY race
)
SELECT r.race, runners, winners, total, priced, book,
       CASE WHEN status IN ({", ".join(map(literal, CALLED_OFF))})
            THEN 'called off'
            WHEN runners IS NULL THEN 'without starters'
            WHEN placed = 0 THEN 'without a result'
            WHEN winners = 0 THEN 'without a winner'
            WHEN dogs < runners THEN 'a dog entered twice'
            WHEN runners = 1 THEN 'one starter'
            WHEN predicted = 0 THEN 'without predictions'
            WHEN predicted < runners THEN 'predictions for some starters only'
            WHEN unusable > 0 OR total = 0 THEN 'probabilities that are none'
       END AS excluded
FROM evaluation_races r LEFT JOIN ran USING (race)"""

SELECT_RACED: Final = """\
-- The races that count, in the order of their start.
SELECT race, race_id, day, start
FROM evaluation_races JOIN evaluation_fields USING (race)
WHERE excluded IS NULL
ORDER BY race"""

SELECT_GROUPS: Final = """\
-- The groups, numbered.
CREATE OR REPLACE TEMP TABLE evaluation_groups AS
SELECT value, CAST(row_number() OVER (ORDER BY value NULLS LAST) - 1 AS INTEGER) AS number
FROM (SELECT DISTINCT grouped AS value FROM evaluation_starters)"""

SELECT_VALUES: Final = "SELECT value FROM evaluation_groups ORDER BY number"


def select_chances(grouped: bool) -> str:
    """One row per method and starter of the races that count."""
    group = ", grouped" if grouped else ""
    number = ", g.number AS grouped" if grouped else ""
    join = "\n    JOIN evaluation_groups g ON g.value IS NOT DISTINCT FROM s.grouped" if grouped else ""
    return f"""\
-- What each method gives each starter of the races that count. A dead heat of two is half a win each. Chances
-- are compared in steps of 1e-12, lest the rounding of a division tells equal ones apart.
CREATE OR REPLACE TEMP TABLE evaluation_chances AS
WITH counted AS (
    SELECT race, probability, price, runners, total, book, priced = runners AS all_priced,
           CASE WHEN place = 1 THEN 1.0::DOUBLE / winners ELSE 0.0::DOUBLE END AS win{number}
    FROM evaluation_starters s JOIN evaluation_fields USING (race){join}
    WHERE excluded IS NULL AND NOT scratched
)
SELECT * REPLACE (CAST(method AS ENUM ('model', 'favourite', 'uniform')) AS method),
       CAST(round(p * 1e12) AS BIGINT) AS step
FROM (
    SELECT race, 'model' AS method, probability / total AS p, win, price, runners{group} FROM counted
    UNION ALL
    SELECT race, 'favourite', 1 / price / book, win, price, runners{group} FROM counted WHERE all_priced
    UNION ALL
    SELECT race, 'uniform', 1.0::DOUBLE / runners, win, price, runners{group} FROM counted
)"""


def price_of(schema: Schema, price: str) -> str:
    """SQL for a starter's decimal odds; NULL where they are missing or not above 1."""
    number = _number(f"d.{quote(price)}", schema.starters[fold(price)])
    return f"CASE WHEN {number} > 1 AND isfinite({number}) THEN {number} END"


def _number(column: str, kind: str) -> str:
    """SQL for a column of that type as DOUBLE; NULL for a text that is none."""
    if kind == "DOUBLE":
        return column
    return f"CAST({column} AS DOUBLE)" if is_number(kind) else f"TRY_CAST({column} AS DOUBLE)"


def is_number(kind: str) -> bool:
    """Whether a type of DuckDB's is one of numbers."""
    return kind.partition("(")[0] in _NUMBERS


def unordered(schema: Schema) -> bool:
    """Whether nothing tells which of two predictions is the last; they must not differ then."""
    return "timestamp" not in schema.predictions and schema.predictions.get("id") not in _INTEGERS


def _made(schema: Schema) -> str:
    """SQL for what tells the later of two predictions."""
    integer = schema.predictions.get("id") in _INTEGERS
    if "timestamp" not in schema.predictions:
        return "p.id" if integer else "0"
    moment = "TRY_CAST(p.timestamp AS TIMESTAMP)"
    if integer:
        return f"coalesce(epoch_us({moment}), -1e16)::HUGEINT * 1_000_000_000_000 + coalesce(p.id, 0)"
    return f"(coalesce({moment}, '-infinity'::TIMESTAMP), probability)"


def _in_time(schema: Schema) -> str:
    if "timestamp" not in schema.predictions:
        return ""
    return "WHERE coalesce(TRY_CAST(p.timestamp AS TIMESTAMP) <= r.start, true)\n    "


def _place(schema: Schema) -> str:
    if is_number(schema.starters["finish_position"]):
        return "CASE WHEN d.finish_position >= 1 THEN TRY_CAST(d.finish_position AS INTEGER) END"
    # '1', '1st', '=1' and '1=' are first places; 'SCR', 'DNF', 'F' and 0 are none.
    return "nullif(TRY_CAST(regexp_extract(d.finish_position, '^ *=?0*([1-9][0-9]*)', 1) AS INTEGER), 0)"


def _scratched(schema: Schema) -> str:
    words = ", ".join(map(literal, SCRATCHED))
    kind = schema.starters["was_scratched"]
    if is_number(kind) or kind == "BOOLEAN":
        said = "coalesce(CAST(d.was_scratched AS BOOLEAN), false)"
    else:
        said = f"coalesce(lower(trim(d.was_scratched)) IN ({words}), false)"
    if schema.starters["finish_position"] != "VARCHAR":
        return said
    return f"({said} OR coalesce(upper(trim(d.finish_position)) LIKE 'SCR%', false))"
