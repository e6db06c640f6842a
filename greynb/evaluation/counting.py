"""The SQL that counts what was read, what counts, and what does not, with the reasons."""

from __future__ import annotations

from typing import Final

from greynb.databases.identifiers import quote
from greynb.evaluation.selection import NORMALISED, Schema, unordered

AMBIGUOUS: Final = "that cannot be told apart"


def select_counts(schema: Schema) -> str:
    """Races, starters and predictions, one row per count, in the order in which they are read."""
    late = _late(schema)
    return f"""\
-- What was read, what counts, and what does not.
WITH races AS (
    SELECT 'races' AS of, 1 AS place, 'in the period' AS what, count(*) AS number FROM evaluation_fields
    UNION ALL
    SELECT 'races', 2, 'excluded: ' || excluded, count(*) FROM evaluation_fields
    WHERE excluded IS NOT NULL GROUP BY excluded
    UNION ALL
    SELECT 'races', unnest([3, 4, 5, 6]),
           unnest(['evaluated', 'dead heats', 'probabilities normalised', 'a price missing']),
           unnest([count(*), count(*) FILTER (winners > 1), count(*) FILTER (abs(total - 1) > {NORMALISED}),
                   count(*) FILTER (priced < runners)])
    FROM evaluation_fields WHERE excluded IS NULL
), starters AS (
    SELECT 'starters' AS of, unnest([1, 2, 3, 4, 5]) AS place,
           unnest(['entered', 'excluded: scratched', 'excluded: race not evaluated', 'evaluated',
                   'without a price']) AS what,
           unnest([count(*), count(*) FILTER (scratched),
                   count(*) FILTER (NOT scratched AND excluded IS NOT NULL),
                   count(*) FILTER (NOT scratched AND excluded IS NULL),
                   count(*) FILTER (NOT scratched AND excluded IS NULL AND price IS NULL)]) AS number
    FROM evaluation_starters JOIN evaluation_fields USING (race)
), predictions AS (
    SELECT 'predictions' AS of, 1 AS place, 'read' AS what, count(*) AS number FROM {quote(schema.table)}
    UNION ALL
    SELECT 'predictions', 2, 'of a race that is not there', count(*)
    FROM {quote(schema.table)} p ANTI JOIN race_metadata m ON m.race_id = p.race_id
    UNION ALL
    SELECT 'predictions', 3, 'of a dog that is not in the race', count(*)
    FROM {quote(schema.table)} p JOIN evaluation_races r ON r.race_id = p.race_id
    ANTI JOIN evaluation_starters s ON s.race = r.race AND s.dog = p.dog_clean_name
    UNION ALL
    SELECT 'predictions', 4, 'after the start', {late}
    UNION ALL
    SELECT 'predictions', unnest([5, 6, 7]),
           unnest(['superseded by a later one', 'of a scratched dog', '{AMBIGUOUS}']),
           unnest([coalesce(sum(predictions - 1), 0), count(predictions) FILTER (scratched),
                   {_ambiguous(schema)}])
    FROM evaluation_starters
)
SELECT of, what, CAST(number AS BIGINT) AS number
FROM (FROM races UNION ALL FROM starters UNION ALL FROM predictions)
WHERE number > 0 OR what IN ('in the period', 'evaluated', 'entered', 'read', 'probabilities normalised')
ORDER BY list_position(['races', 'starters', 'predictions'], of), place, number DESC, what"""


def _late(schema: Schema) -> str:
    if "timestamp" not in schema.predictions:
        return "0"
    return f"""(
        SELECT count(*) FROM {quote(schema.table)} p JOIN evaluation_races r ON r.race_id = p.race_id
        WHERE TRY_CAST(p.timestamp AS TIMESTAMP) > r.start
    )"""


def _ambiguous(schema: Schema) -> str:
    """Starters whose predictions differ, where neither time nor number says which is the last."""
    return "count(*) FILTER (differing)" if unordered(schema) else "0"
