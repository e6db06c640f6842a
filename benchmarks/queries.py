"""Twelve questions that analysts of races ask, each in SQL that SQLite and DuckDB both understand."""

from __future__ import annotations

from typing import NamedTuple


class Query(NamedTuple):
    """A question: its short name, whether it reads whole tables, and its SQL.

    ``{race}``, ``{dog}`` and ``{venue}`` stand for one of each that the data hold.
    """

    name: str
    scans: bool
    sql: str


_RAN = "d.finish_position IS NOT NULL AND d.starting_price IS NOT NULL"
_BY = """
SELECT '{by}' AS split, {value} AS part, count(*) AS bets, sum(pays) / count(*) - 1 AS roi
FROM bets GROUP BY {value}"""
_ODDS = (
    "CASE WHEN price < 2 THEN '1 under 2' WHEN price < 3 THEN '2 to 3' WHEN price < 5 THEN '3 to 5'"
    " WHEN price < 8 THEN '5 to 8' WHEN price < 15 THEN '8 to 15' ELSE '9 over 15' END"
)
_SPLITS = {"month": "month", "venue": "venue", "box": "CAST(box AS VARCHAR)", "odds": _ODDS}

QUERIES = (
    Query(
        "top-1",
        True,
        """
WITH ranked AS (
    SELECT race_id, dog_clean_name, prediction_source,
           row_number() OVER (
               PARTITION BY race_id ORDER BY predicted_probability DESC, dog_clean_name
           ) AS place
    FROM predictions
)
SELECT r.prediction_source AS model, count(*) AS races,
       avg(CASE WHEN d.finish_position = 1 THEN 1.0 ELSE 0.0 END) AS top1
FROM ranked r JOIN dog_race_data d ON d.race_id = r.race_id AND d.dog_clean_name = r.dog_clean_name
WHERE r.place = 1 AND d.finish_position IS NOT NULL
GROUP BY r.prediction_source ORDER BY model""",
    ),
    Query(
        "Brier score",
        True,
        """
WITH scored AS (
    SELECT p.prediction_source AS model, p.predicted_probability AS chance,
           CASE WHEN d.finish_position = 1 THEN 1.0 ELSE 0.0 END AS won
    FROM predictions p JOIN dog_race_data d ON d.race_id = p.race_id AND d.dog_clean_name = p.dog_clean_name
    WHERE d.finish_position IS NOT NULL
)
SELECT model, count(*) AS starters, avg((chance - won) * (chance - won)) AS brier
FROM scored GROUP BY model ORDER BY model""",
    ),
    Query(
        "log loss",
        True,
        """
SELECT p.prediction_source AS model, count(*) AS winners,
       -avg(ln(CASE WHEN p.predicted_probability < 0.001 THEN 0.001 ELSE p.predicted_probability END)) AS loss
FROM predictions p JOIN dog_race_data d ON d.race_id = p.race_id AND d.dog_clean_name = p.dog_clean_name
WHERE d.finish_position = 1
GROUP BY p.prediction_source ORDER BY model""",
    ),
    Query(
        "calibration",
        True,
        """
WITH scored AS (
    SELECT p.predicted_probability AS chance, CASE WHEN d.finish_position = 1 THEN 1.0 ELSE 0.0 END AS won,
           CASE WHEN p.predicted_probability < 0.05 THEN 0 WHEN p.predicted_probability < 0.1 THEN 1
                WHEN p.predicted_probability < 0.2 THEN 2 WHEN p.predicted_probability < 0.3 THEN 3
                WHEN p.predicted_probability < 0.4 THEN 4 WHEN p.predicted_probability < 0.5 THEN 5
                ELSE 6 END AS band
    FROM predictions p JOIN dog_race_data d ON d.race_id = p.race_id AND d.dog_clean_name = p.dog_clean_name
    WHERE d.finish_position IS NOT NULL
)
SELECT band, count(*) AS starters, avg(chance) AS said, avg(won) AS won
FROM scored GROUP BY band ORDER BY band""",
    ),
    Query(
        "return by month, venue, box, odds",
        True,
        f"""
WITH picks AS (
    SELECT race_id, dog_clean_name,
           row_number() OVER (
               PARTITION BY race_id ORDER BY predicted_probability DESC, dog_clean_name
           ) AS place
    FROM predictions
), bets AS (
    SELECT substr(CAST(m.race_date AS VARCHAR), 1, 7) AS month, m.venue AS venue, d.box_number AS box,
           d.starting_price AS price,
           CASE WHEN d.finish_position = 1 THEN d.starting_price ELSE 0.0 END AS pays
    FROM picks p
    JOIN dog_race_data d ON d.race_id = p.race_id AND d.dog_clean_name = p.dog_clean_name
    JOIN race_metadata m ON m.race_id = p.race_id
    WHERE p.place = 1 AND {_RAN}
)
{" UNION ALL ".join(_BY.format(by=by, value=value) for by, value in _SPLITS.items())}
ORDER BY split, part""",
    ),
    Query(
        "form over the last five",
        True,
        """
WITH form AS (
    SELECT d.finish_position AS place,
           avg(d.finish_position) OVER (
               PARTITION BY d.dog_clean_name ORDER BY m.race_date, d.race_id
               ROWS BETWEEN 5 PRECEDING AND 1 PRECEDING
           ) AS before
    FROM dog_race_data d JOIN race_metadata m ON m.race_id = d.race_id
    WHERE d.finish_position IS NOT NULL
)
SELECT CASE WHEN before IS NULL THEN 'first run' WHEN before < 2 THEN '1 to 2' WHEN before < 3 THEN '2 to 3'
            WHEN before < 4 THEN '3 to 4' WHEN before < 5 THEN '4 to 5' ELSE '5 and more' END AS form,
       count(*) AS runs, avg(CASE WHEN place = 1 THEN 1.0 ELSE 0.0 END) AS won
FROM form GROUP BY 1 ORDER BY 1""",
    ),
    Query(
        "trainers' strike rate",
        True,
        """
SELECT trainer_name, count(*) AS starts, sum(CASE WHEN finish_position = 1 THEN 1 ELSE 0 END) AS wins,
       avg(CASE WHEN finish_position = 1 THEN 1.0 ELSE 0.0 END) AS strike_rate
FROM dog_race_data
WHERE finish_position IS NOT NULL
GROUP BY trainer_name HAVING count(*) >= 20
ORDER BY wins DESC, starts, trainer_name LIMIT 100""",
    ),
    Query(
        "track bias",
        True,
        """
SELECT m.venue AS venue, m.distance AS distance, d.box_number AS box, count(*) AS runs,
       avg(CASE WHEN d.finish_position = 1 THEN 1.0 ELSE 0.0 END) AS won, avg(d.beaten_margin) AS beaten_by
FROM dog_race_data d JOIN race_metadata m ON m.race_id = d.race_id
WHERE d.finish_position IS NOT NULL
GROUP BY m.venue, m.distance, d.box_number ORDER BY venue, distance, box""",
    ),
    Query(
        "head to head",
        True,
        """
SELECT a.dog_clean_name AS dog, b.dog_clean_name AS other, count(*) AS met,
       sum(CASE WHEN a.finish_position < b.finish_position THEN 1 ELSE 0 END) AS ahead
FROM race_metadata m
JOIN dog_race_data a ON a.race_id = m.race_id
JOIN dog_race_data b ON b.race_id = m.race_id AND b.dog_clean_name > a.dog_clean_name
WHERE m.venue = '{venue}' AND a.finish_position IS NOT NULL AND b.finish_position IS NOT NULL
GROUP BY a.dog_clean_name, b.dog_clean_name ORDER BY met DESC, dog, other LIMIT 100""",
    ),
    Query(
        "odds drift",
        True,
        """
WITH drift AS (
    SELECT race_id, dog_clean_name, sum(odds_change) AS moved, count(*) AS prices
    FROM odds_history GROUP BY race_id, dog_clean_name
)
SELECT d.finish_position AS place, count(*) AS runners, avg(x.moved) AS moved, avg(x.prices) AS prices
FROM drift x JOIN dog_race_data d ON d.race_id = x.race_id AND d.dog_clean_name = x.dog_clean_name
WHERE d.finish_position IS NOT NULL
GROUP BY d.finish_position ORDER BY place""",
    ),
    Query(
        "one race",
        False,
        """
SELECT m.venue AS venue, m.race_date AS race_date, m.race_number AS race_number, d.box_number AS box,
       d.dog_name AS dog, d.trainer_name AS trainer, d.starting_price AS price, d.finish_position AS place
FROM race_metadata m JOIN dog_race_data d ON d.race_id = m.race_id
WHERE m.race_id = '{race}' ORDER BY box""",
    ),
    Query(
        "one dog's history",
        False,
        """
SELECT m.race_date AS race_date, m.venue AS venue, m.distance AS distance, d.box_number AS box,
       d.starting_price AS price, d.finish_position AS place, d.individual_time AS seconds
FROM dog_race_data d JOIN race_metadata m ON m.race_id = d.race_id
WHERE d.dog_clean_name = '{dog}' ORDER BY race_date, m.race_id""",
    ),
)
