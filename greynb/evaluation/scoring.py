"""The SQL that scores the chances: sums per race, of which every metric is made, and what the charts show."""

from __future__ import annotations

from typing import Final

from greynb.evaluation.grouping import band_of

CLIP: Final = 2.0**-52
"""Probabilities are kept this far from 0 and 1 where their logarithm is taken, as scikit-learn does."""

SELECT_PICKS: Final = """\
-- How much of each method's pick, and of its first three, each starter is: ties share.
CREATE OR REPLACE TEMP TABLE evaluation_picks AS
SELECT *,
       CASE WHEN above = 0 THEN 1.0::DOUBLE / tied ELSE 0.0::DOUBLE END AS pick,
       least(1, greatest(0, (least(3, runners) - above) / tied)) AS among_three
FROM (
    SELECT *, rank() OVER best - 1 AS above, count(*) OVER best - rank() OVER best + 1 AS tied
    FROM evaluation_chances
    WINDOW best AS (PARTITION BY race, method ORDER BY step DESC)
)"""

SELECT_RESERVES: Final = """\
-- The part of the bankroll that Kelly keeps back in each race with an edge (Smoczynski and Tomkins 2010): the
-- least that any number of bets, from the best one down, leaves. The stake on a dog is p - reserve / price.
CREATE OR REPLACE TEMP TABLE evaluation_reserves AS
SELECT race, method, greatest(0, min((1 - backed) / (1 - book))) AS reserve
FROM (
    SELECT race, method, sum(p) OVER better AS backed, sum(1 / price) OVER better AS book
    FROM evaluation_chances
    SEMI JOIN (SELECT DISTINCT race, method FROM evaluation_chances WHERE p * price > 1) USING (race, method)
    WHERE price IS NOT NULL
    WINDOW better AS (PARTITION BY race, method ORDER BY p * price DESC ROWS UNBOUNDED PRECEDING)
)
WHERE book < 1 - 1e-9  -- bets that cover the whole field at fair odds win nothing
GROUP BY race, method
HAVING min((1 - backed) / (1 - book)) < 1"""


def select_ranks(grouped: bool) -> str:
    """For each probability, the share of the losers (and winners) below it, ties by half: for the AUC."""
    key = "grouped, method" if grouped else "method"
    return f"""\
-- The share of all losers, and of all winners, that were given less than each probability; ties count half.
CREATE OR REPLACE TEMP TABLE evaluation_ranks AS
SELECT {key}, step, (sum(lost) OVER below - lost / 2) / sum(lost) OVER every AS losers_below,
       (sum(won) OVER below - won / 2) / sum(won) OVER every AS winners_below
FROM (
    SELECT {key}, step, sum(win) AS won, sum(1 - win) AS lost FROM evaluation_chances GROUP BY {key}, step
)
WINDOW below AS (PARTITION BY {key} ORDER BY step), every AS (PARTITION BY {key})"""


def select_sums(kelly: float, grouped: bool) -> str:
    """The sums per race and method that all metrics are made of."""
    key = "grouped, race, method" if grouped else "race, method"
    match = "grouped, method, step" if grouped else "method, step"
    return f"""\
-- Sums per race, of which every metric is a ratio.
SELECT *, ln(greatest({CLIP!r}, 1 + {kelly!r} * (kelly_paid - kelly_staked))) AS growth
FROM (
    SELECT {key}, count(*) AS starters, sum(win) AS won,
           sum((p - win) ** 2) AS squared,
           -sum(win * ln(greatest(p, {CLIP!r})) + (1 - win) * ln(greatest(1 - p, {CLIP!r})))
               AS surprise,
           -sum(win * ln(greatest(p, {CLIP!r}))) AS winner_surprise,
           sum(pick) AS picked, sum(pick * win) AS picked_won, sum(among_three * win) AS three_won,
           coalesce(sum(pick) FILTER (price IS NOT NULL), 0) AS staked,
           coalesce(sum(pick * win * price), 0) AS paid,
           coalesce(sum(greatest(0, p - reserve / price)), 0) AS kelly_staked,
           coalesce(sum(greatest(0, p - reserve / price) * win * price), 0) AS kelly_paid,
           sum(win * losers_below) AS winners_above, sum((1 - win) * (1 - winners_below)) AS losers_under
    FROM evaluation_picks JOIN evaluation_ranks USING ({match})
    LEFT JOIN evaluation_reserves USING (race, method)
    GROUP BY {key}
)"""


def select_fitted(grouped: bool) -> str:
    """What the calibration line is fitted to."""
    key = "grouped, race" if grouped else "race"
    return f"""\
-- What the calibration line is fitted to.
SELECT {key}, method, p, win FROM evaluation_chances"""


def select_bins(bins: int, grouped: bool) -> str:
    """The sums per race, method and reliability bin."""
    key = "grouped, race, method" if grouped else "race, method"
    return f"""\
-- Sums per race and reliability bin: equally wide, each with its upper edge, the first with 0 too.
SELECT {key}, CAST(greatest(0, (step * {bins} - 1) // 1_000_000_000_000) AS INTEGER) AS bin,
       count(*) AS starters, sum(p) AS predicted, sum(win) AS won
FROM evaluation_chances
GROUP BY {key}, bin"""


def select_odds() -> str:
    """What the picks at level stakes brought per race, method and band of the odds."""
    return f"""\
-- One unit on each race's pick, by the odds that it was paid at.
SELECT race, method, sum(pick) AS staked, sum(pick * win * price) AS paid,
       {band_of("price")} AS band
FROM evaluation_picks
WHERE pick > 0 AND price IS NOT NULL
GROUP BY race, method, band"""
