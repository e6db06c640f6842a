"""The analysts' dialect: statements that every back end answers as DuckDB does, or refuses with a reason."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

SCHEMA = """
CREATE TABLE races (
    id INTEGER PRIMARY KEY, track TEXT, run_date DATE, started TIMESTAMP, distance INTEGER, grade TEXT, prize REAL
);
CREATE TABLE starters (
    race_id INTEGER, box INTEGER, dog TEXT, prob REAL, odds REAL, finish INTEGER, weight REAL,
    PRIMARY KEY (race_id, box)
);
CREATE TABLE empty (id INTEGER, x REAL, day DATE);
"""


def make_season(path: Path, races: int = 400) -> None:
    """A small season with what is awkward: NULLs, ties, negative and huge numbers, text beyond ASCII."""
    tracks = ("Zürich", "Ipswich", "Mt. O'Neil", "the_gap", "Ångström 100%", None)
    with closing(sqlite3.connect(path)) as con, con:
        con.executescript(SCHEMA)
        for n in range(1, races + 1):
            day = f"2025-{1 + n % 12:02}-{1 + n % 28:02}"
            con.execute(
                "INSERT INTO races VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    n,
                    tracks[n % 6],
                    day,
                    f"{day} {n % 24:02}:{n % 60:02}:{n % 59:02}",
                    (320, 431, 520, 715)[n % 4],
                    ("5", "M", "FFA", "")[n % 4],
                    None if n % 17 == 0 else n * 12.5 - 300,
                ),
            )
            for box in range(1, 7):
                k = n * 7 + box
                con.execute(
                    "INSERT INTO starters VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        n,
                        box,
                        f"dog {k % 83}",
                        (k * 37 % 101) / 101,
                        None if k % 29 == 0 else 1.5 + k % 40 / 4,
                        None if k % 31 == 0 else 1 + (box + n) % 6,
                        (k % 13 - 6) / 2 + 30,
                    ),
                )


EVALUATION = (
    # The six queries that the design was measured with.
    "SELECT track, count(*) AS races, avg(prize) AS prize FROM races GROUP BY track ORDER BY track",
    """WITH picks AS (
         SELECT race_id, dog, prob, finish,
                row_number() OVER (PARTITION BY race_id ORDER BY prob DESC, box) AS place
         FROM starters)
       SELECT count(*) AS races, sum(CASE WHEN finish = 1 THEN 1 ELSE 0 END) AS won,
              avg(CASE WHEN finish = 1 THEN 1e0 ELSE 0 END) AS share FROM picks WHERE place = 1""",
    """SELECT CAST(floor(prob * 10) AS INTEGER) AS bin, count(*) AS n, avg(prob) AS said,
              avg(CASE WHEN finish = 1 THEN 1 ELSE 0 END) AS seen
       FROM starters JOIN races ON races.id = starters.race_id GROUP BY 1 ORDER BY 1""",
    """SELECT date_trunc('month', run_date) AS month, sum(CASE WHEN finish = 1 THEN odds - 1 ELSE -1 END) AS profit,
              count(odds) AS bets
       FROM starters s JOIN races r ON r.id = s.race_id WHERE prob * odds > 1.2e0 GROUP BY ALL ORDER BY month""",
    "SELECT * FROM races WHERE id = 77",
    """SELECT dog, run_date, id, avg(finish) OVER (PARTITION BY dog ORDER BY run_date, id, box
              ROWS BETWEEN 5 PRECEDING AND 1 PRECEDING) AS form
       FROM starters JOIN races ON id = race_id ORDER BY dog, run_date, id, box""",
)

DIALECT = (
    # Choosing and ordering
    "SELECT id, track FROM races ORDER BY id LIMIT 5",
    "FROM races ORDER BY id DESC LIMIT 3",
    "SELECT track FROM races ORDER BY track, id",
    "SELECT track FROM races ORDER BY track DESC, id",
    "SELECT prize FROM races ORDER BY prize NULLS FIRST, id LIMIT 30",
    "SELECT DISTINCT track FROM races ORDER BY 1",
    "SELECT DISTINCT grade, distance FROM races ORDER BY ALL",
    "SELECT count(*) FROM races",
    "SELECT * EXCLUDE (started) FROM races WHERE id < 4 ORDER BY id",
    "SELECT * REPLACE (distance / 2 AS distance) FROM races WHERE id < 4 ORDER BY id",
    "SELECT id FROM races ORDER BY id LIMIT 3 OFFSET 10",
    "SELECT Id AS Nummer, TRACK FROM Races WHERE ID = 3",
    'SELECT "id" AS "two words" FROM races WHERE id = 1',
    "SELECT id, id + 1 AS next, next * 2 AS twice FROM races WHERE next > 395 ORDER BY id",
    "SELECT 1 AS a, 'text' AS b, true AS c, DATE '2025-02-03' AS d",
    "SELECT NULL AS nothing",
    # Conditions
    "SELECT count(*) FROM races WHERE prize > 100 AND NOT grade = 'M' OR track IS NULL",
    "SELECT count(*) FROM races WHERE prize BETWEEN 0 AND 1000.5",
    "SELECT count(*) FROM races WHERE prize NOT BETWEEN 0 AND 1000",
    "SELECT count(*) FROM races WHERE track IN ('Ipswich', 'the_gap')",
    "SELECT count(*) FROM races WHERE track NOT IN ('Ipswich', 'the_gap')",
    "SELECT count(*) FROM races WHERE distance IN (320, 431.0)",
    "SELECT count(*) FROM races WHERE track LIKE '%gap' OR track LIKE 'I_s%'",
    "SELECT count(*) FROM races WHERE track NOT LIKE '%i%'",
    "SELECT count(*) FROM races WHERE track LIKE '%100%%'",
    "SELECT count(*) FROM races WHERE track ILIKE 'IPS%'",
    "SELECT count(*) FROM races WHERE run_date >= '2025-06-01' AND run_date < DATE '2025-07-01'",
    "SELECT count(*) FROM races WHERE started > '2025-03-05 12:00:00'",
    "SELECT count(*) FROM races WHERE run_date = '2025-06-1'",
    "SELECT count(*) FROM races WHERE track IS DISTINCT FROM 'Ipswich'",
    "SELECT count(*) FROM races WHERE track IS NOT DISTINCT FROM NULL",
    "SELECT count(*) FROM races WHERE prize IS NOT NULL",
    "SELECT count(*) FROM races WHERE (prize > 0) IS TRUE",
    "SELECT id FROM races WHERE distance = '320' ORDER BY id LIMIT 2",
    "SELECT count(*) FROM races WHERE distance",
    "SELECT count(*) FROM starters WHERE odds > 5.5 AND prob < 0.25",
    "SELECT count(*) FROM races WHERE regexp_matches(track, '^I')",
    # Numbers
    "SELECT 7 / 2 AS a, -7 / 2 AS b, 1 / 0 AS c, 0 / 0 AS d, -1 / 0 AS e",
    "SELECT 7 // 2 AS a, -7 // 2 AS b, 7 // 0 AS c, -7 % 3 AS d, 7 % -3 AS e, 7 % 0 AS f",
    "SELECT id, prize / (distance - 320) AS x FROM races ORDER BY id LIMIT 20",
    "SELECT 0.1 + 0.2 AS x",
    "SELECT 0.1e0 + 0.2e0 AS x",
    "SELECT id * 1.1 AS x FROM races WHERE id = 3",
    "SELECT prize * 1.1 AS x, prize + 0.25 AS y FROM races ORDER BY id",
    "SELECT round(prize / 7, 2) AS a, round(prize / 7) AS b, round(-prize / 3, 1) AS c FROM races ORDER BY id",
    "SELECT round(prob * 1000 / 8, 2) AS x, count(*) AS n FROM starters GROUP BY 1 ORDER BY 1",
    "SELECT round(2.5e0) AS a, round(-2.5e0) AS b, round(2.675e0, 2) AS c, round(1.005e0, 2) AS d",
    "SELECT floor(prize / 7) AS a, ceil(prize / 7) AS b, floor(-0.5e0) AS c FROM races ORDER BY id",
    "SELECT abs(prize) AS a, sign(prize) AS b, abs(-5) AS c FROM races ORDER BY id",
    "SELECT CAST(prize / 5 AS INTEGER) AS a, prize::BIGINT AS b FROM races ORDER BY id",
    "SELECT CAST(0.5e0 AS INT) AS a, CAST(1.5e0 AS INT) AS b, CAST(2.5e0 AS INT) AS c, CAST(-2.5e0 AS INT) AS d",
    "SELECT CAST(1e20 AS BIGINT) AS x",
    "SELECT 2147483647 + 1 AS x",
    "SELECT CAST(distance AS DOUBLE) AS a, CAST(id AS VARCHAR) AS b FROM races ORDER BY id LIMIT 3",
    "SELECT CAST(prize AS VARCHAR) AS x FROM races LIMIT 1",
    "SELECT CAST(prize AS DECIMAL(10, 2)) AS x FROM races LIMIT 1",
    "SELECT sqrt(abs(prize)) AS a, ln(id) AS b, log(id) AS c, log10(id) AS d, log2(id) AS e FROM races ORDER BY id",
    "SELECT exp(prob) AS a, pow(prob, 2) AS b, prob ** 3 AS c, power(2, 10) AS d FROM starters ORDER BY race_id, box",
    "SELECT ln(0) AS x",
    "SELECT sqrt(-1) AS x",
    "SELECT greatest(distance, prize, 100) AS a, least(distance, prize) AS b FROM races ORDER BY id",
    "SELECT coalesce(prize, -1) AS a, ifnull(track, 'none') AS b, nullif(distance, 320) AS c FROM races ORDER BY id",
    "SELECT isnan(prize / 0) AS x FROM races ORDER BY id LIMIT 30",
    "SELECT -id AS a, -(-id) AS b, - prize AS c FROM races WHERE id < 5 ORDER BY id",
    "SELECT hash(id) AS x FROM races",
    "SELECT random() AS x",
    "SELECT id & 3 AS x FROM races",
    # Cases
    "SELECT CASE WHEN prize > 0 THEN 'won' WHEN prize < 0 THEN 'lost' END AS x, count(*) FROM races GROUP BY 1 ORDER BY 1",
    "SELECT CASE distance WHEN 320 THEN 1 WHEN 431 THEN 2 ELSE 0 END AS x, count(*) AS n FROM races GROUP BY ALL ORDER BY x",
    "SELECT sum(CASE WHEN finish = 1 THEN odds - 1 ELSE -1 END) AS profit FROM starters",
    "SELECT sum(CASE WHEN finish = 1 THEN 0.9 ELSE -1 END) AS profit FROM starters",
    "SELECT if(prize > 0, 1, 0) AS x, count(*) AS n FROM races GROUP BY x ORDER BY x",
    "SELECT avg(CASE WHEN finish = 1 THEN 1.0 ELSE 0.0 END) AS share, sum(finish) * 1.0 / count(*) AS mean FROM starters",
    "WITH s AS (SELECT prob, CASE WHEN finish = 1 THEN 1.0 ELSE 0.0 END AS won FROM starters) SELECT avg((prob - won) * (prob - won)) AS brier FROM s",
    "SELECT sum(CASE WHEN finish = 1 THEN 0.5 ELSE 0.25 END) AS x FROM starters",
    "SELECT CAST(CASE WHEN finish = 1 THEN 2.5 ELSE 0.5 END AS INT) AS x FROM starters",
    "SELECT round(CASE WHEN finish = 1 THEN 2.5 ELSE 0.5 END) AS x FROM starters",
    "SELECT count(*) AS n FROM starters WHERE CASE WHEN finish = 1 THEN 1.5 ELSE 0.5 END > prob + 0.25",
    # Text
    "SELECT upper(track) AS x FROM races",
    "SELECT length(track) AS x, track FROM races WHERE id < 8 ORDER BY id",
    "SELECT substr(track, 2, 3) AS a, left(track, 2) AS b, right(track, 2) AS c FROM races WHERE id < 8 ORDER BY id",
    "SELECT track || ' ' || grade AS a, concat(track, '-', grade, id) AS b FROM races WHERE id < 20 ORDER BY id",
    "SELECT split_part(dog, ' ', 2) AS a, split_part(dog, ' ', 5) AS b FROM starters ORDER BY race_id, box LIMIT 9",
    "SELECT starts_with(track, 'I') AS a, ends_with(track, 'h') AS b, contains(track, 'ü') AS c FROM races ORDER BY id",
    "SELECT instr(track, 'c') AS a, strpos(track, 'zz') AS b, position('h' IN track) AS c FROM races ORDER BY id",
    "SELECT replace(track, 'i', 'y') AS a, trim('  x ') AS b FROM races ORDER BY id LIMIT 9",
    "SELECT track[1] AS x FROM races",
    "SELECT regexp_replace(track, 'a', 'b') AS x FROM races",
    "SELECT string_agg(track, ',') AS x FROM races",
    # Dates
    "SELECT year(run_date) AS a, month(run_date) AS b, day(run_date) AS c, quarter(run_date) AS d FROM races ORDER BY id",
    "SELECT dayofweek(run_date) AS a, isodow(run_date) AS b, week(run_date) AS c, dayofyear(run_date) AS d FROM races ORDER BY id",
    "SELECT extract(year FROM run_date) AS a, extract(dow FROM run_date) AS b, extract(hour FROM started) AS c FROM races ORDER BY id",
    "SELECT hour(started) AS a, minute(started) AS b, second(started) AS c FROM races ORDER BY id",
    "SELECT date_part('month', run_date) AS a FROM races ORDER BY id LIMIT 3",
    "SELECT date_trunc('month', run_date) AS a, date_trunc('week', run_date) AS b, date_trunc('hour', started) AS c FROM races ORDER BY id",
    "SELECT run_date + 7 AS a, run_date - 1 AS b, run_date - DATE '2025-01-01' AS c FROM races ORDER BY id",
    "SELECT run_date + INTERVAL 1 MONTH AS a, started - INTERVAL 36 HOUR AS b FROM races ORDER BY id",
    "SELECT date_diff('day', DATE '2025-01-31', run_date) AS a, datediff('month', DATE '2025-01-31', run_date) AS b FROM races ORDER BY id",
    "SELECT started::DATE AS a, run_date::TIMESTAMP AS b FROM races ORDER BY id LIMIT 5",
    "SELECT strftime(run_date, '%Y-%m') AS x FROM races",
    "SELECT current_date AS x",
    "SELECT run_date, count(*) AS n FROM races GROUP BY run_date HAVING count(*) > 1 ORDER BY run_date",
    # Aggregates
    "SELECT count(*) AS a, count(prize) AS b, count(DISTINCT track) AS c, sum(distance) AS d, avg(distance) AS e FROM races",
    "SELECT min(prize) AS a, max(prize) AS b, min(track) AS c, max(run_date) AS d, max(started) AS e FROM races",
    "SELECT grade, sum(prize) AS s, avg(prize) AS a, stddev(prize) AS d, var_pop(prize) AS v FROM races GROUP BY grade ORDER BY grade",
    "SELECT track, median(prize) AS m, quantile_cont(prize, 0.9) AS q FROM races GROUP BY track ORDER BY track",
    "SELECT quantile_disc(prize, 0.5) AS x FROM races",
    "SELECT count(*) FILTER (WHERE finish = 1) AS won, sum(odds) FILTER (WHERE finish = 1) AS paid FROM starters",
    "SELECT count_if(finish = 1) AS a, bool_or(finish = 1) AS b, bool_and(finish > 0) AS c FROM starters",
    "SELECT sum(finish = 1) AS x FROM starters",
    "SELECT sum(DISTINCT distance) AS a, avg(DISTINCT distance) AS b FROM races",
    "SELECT sum(x) AS a, count(*) AS b, avg(x) AS c, max(day) AS d FROM empty",
    "SELECT stddev(x) AS a, median(x) AS b FROM empty",
    "SELECT stddev(prize) AS a, var_samp(prize) AS b FROM races WHERE id = 5",
    "SELECT grade, distance, count(*) AS n FROM races GROUP BY ALL ORDER BY ALL",
    "SELECT track, count(*) AS n FROM races GROUP BY 1 HAVING n > 50 ORDER BY n DESC, track",
    "SELECT grade, count(*) FROM races GROUP BY ROLLUP (grade)",
    "SELECT arg_max(dog, prob) AS x FROM starters",
    "SELECT any_value(track) AS x FROM races",
    "SELECT mode(track) AS x FROM races",
    "SELECT list(dog) AS x FROM starters",
    "SELECT first(dog) AS x FROM starters",
    "SELECT corr(prob, odds) AS x FROM starters",
    "SELECT approx_count_distinct(dog) AS x FROM starters",
    "SELECT avg(0.5) AS x FROM races",
    "SELECT sum(prob) / count(*) AS a, sum(prize) / nullif(count(prize), 0) AS b FROM races JOIN starters ON id = race_id",
    # Windows
    "SELECT race_id, box, rank() OVER (PARTITION BY race_id ORDER BY odds DESC) AS r FROM starters ORDER BY race_id, box",
    "SELECT race_id, box, dense_rank() OVER (PARTITION BY race_id ORDER BY finish) AS r FROM starters ORDER BY race_id, box",
    "SELECT race_id, box, row_number() OVER (PARTITION BY dog ORDER BY race_id, box) AS r FROM starters ORDER BY race_id, box",
    "SELECT id, lag(prize) OVER (ORDER BY id) AS a, lead(prize, 2, 0) OVER (ORDER BY id) AS b FROM races ORDER BY id",
    "SELECT id, sum(prize) OVER (ORDER BY id) AS a, count(*) OVER (PARTITION BY grade) AS b FROM races ORDER BY id",
    "SELECT id, avg(prize) OVER (ORDER BY id ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) AS a FROM races ORDER BY id",
    "SELECT id, max(prize) OVER (PARTITION BY grade ORDER BY id ROWS UNBOUNDED PRECEDING) AS a FROM races ORDER BY id",
    "SELECT id, first_value(prize) OVER w AS a, last_value(prize) OVER w AS b FROM races WINDOW w AS (PARTITION BY grade ORDER BY id) ORDER BY id",
    "SELECT id, ntile(4) OVER (ORDER BY id) AS a, percent_rank() OVER (ORDER BY distance) AS b, cume_dist() OVER (ORDER BY distance) AS c FROM races ORDER BY id",
    "SELECT id, prize / sum(prize) OVER (PARTITION BY grade) AS share FROM races ORDER BY id",
    "SELECT id, row_number() OVER () AS r FROM races",
    "SELECT id, sum(prize) OVER (ORDER BY run_date RANGE BETWEEN INTERVAL 7 DAYS PRECEDING AND CURRENT ROW) AS a FROM races",
    "SELECT race_id, dog FROM starters QUALIFY row_number() OVER (PARTITION BY race_id ORDER BY prob DESC, box) = 1",
    "SELECT sum(p) AS x FROM (SELECT prob AS p FROM starters QUALIFY rank() OVER (PARTITION BY race_id ORDER BY prob DESC) = 1)",
    # Joins, subqueries, sets
    "SELECT r.id, s.dog FROM races r JOIN starters s ON s.race_id = r.id AND s.box = 1 WHERE r.id < 9 ORDER BY r.id",
    "SELECT count(*) AS a, count(s.box) AS b FROM races r LEFT JOIN starters s ON s.race_id = r.id AND s.finish = 1",
    "SELECT count(*) AS x FROM races r FULL JOIN (SELECT id + 350 AS id FROM races) t ON r.id = t.id",
    "SELECT count(*) AS x FROM races SEMI JOIN starters ON race_id = id AND finish = 1",
    "SELECT count(*) AS x FROM races ANTI JOIN starters ON race_id = id AND odds > 11",
    "SELECT count(*) AS x FROM races a, races b WHERE a.id = b.id + 1",
    "SELECT * FROM (SELECT id, grade FROM races) a JOIN (SELECT id, distance FROM races) b USING (id) WHERE id < 4 ORDER BY id",
    "SELECT count(*) AS x FROM races CROSS JOIN (SELECT 1 AS one)",
    "SELECT count(*) AS x FROM races WHERE id IN (SELECT race_id FROM starters WHERE odds > 11)",
    "SELECT count(*) AS x FROM races WHERE id NOT IN (SELECT race_id FROM starters WHERE odds > 11)",
    "SELECT count(*) AS x FROM races r WHERE EXISTS (SELECT 1 FROM starters s WHERE s.race_id = r.id AND s.odds > 11)",
    "SELECT count(*) AS x FROM races WHERE prize > (SELECT avg(prize) FROM races)",
    "SELECT id, (SELECT max(odds) FROM starters s WHERE s.race_id = r.id) AS top FROM races r WHERE id < 9 ORDER BY id",
    "WITH a AS (SELECT grade, count(*) AS n FROM races GROUP BY grade), b(g, m) AS (SELECT grade, n * 2 FROM a) SELECT * FROM b ORDER BY g",
    "SELECT 'a' AS x UNION ALL SELECT 'b' UNION ALL SELECT 'a' ORDER BY x",
    "SELECT grade FROM races UNION SELECT track FROM races ORDER BY grade",
    "SELECT distance FROM races EXCEPT SELECT 320 ORDER BY distance",
    "SELECT id FROM races INTERSECT SELECT box FROM starters ORDER BY id",
    "SELECT count(*) AS n, sum(x) AS s FROM (SELECT prize AS x FROM races UNION ALL SELECT distance FROM races)",
    "SELECT id FROM races LIMIT 3",
    "SELECT sum(prize) AS x FROM (SELECT prize FROM races LIMIT 10)",
    "SELECT * FROM races r ASOF JOIN starters s ON r.id >= s.race_id",
    "SELECT r.id, s.dog FROM races r ASOF JOIN (FROM starters WHERE box = 1 AND odds > 9) s ON r.id >= s.race_id",
    "SELECT * FROM races NATURAL JOIN (SELECT 320 AS distance) ORDER BY id LIMIT 3",
    "PIVOT races ON grade USING count(*)",
    "SELECT COLUMNS('i.*') FROM races",
    "SELECT [x * 2 for x in [1, 2]] AS y",
    "SELECT unnest([1, 2, 3]) AS x",
    "SELECT {'a': 1} AS x",
    "SELECT id FROM races UNION BY NAME SELECT box AS id FROM starters",
    "SELECT DISTINCT ON (grade) grade, id FROM races ORDER BY grade, id",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n) AS x FROM t",
    "SELECT * FROM range(5)",
    "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS t(x, y)",
    "SELECT * FROM races USING SAMPLE 10 ROWS",
    "SUMMARIZE races",
    "DESCRIBE races",
    "SHOW TABLES",
    "CREATE TEMP TABLE mine AS SELECT 1",
    # What no back end runs
    "SELECT nonsense FROM races",
    "SELECT * FROM nowhere",
    "INSERT INTO races VALUES (1)",
)
