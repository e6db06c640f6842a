"""Views and constraints of PostgreSQL staging in the published file: the same, or named as left out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from greynb.postgres.portable import NotPortable, condition
from greynb.postgres.relations import relations
from greynb.publish import SyncResult, sync
from greynb.publish.verifying import compare
from greynb.routing import Server
from tests.scale.conftest import server_of
from tests.scale.server import PostgresServer

RACES = """
    CREATE TABLE races (
        id int PRIMARY KEY, venue text, "Going" going, distance int, prize float8, price numeric(8, 2),
        fast bool, day date, at timestamptz, code char(4), grade varchar(9), big bigint
    )
"""
ROWS = """
    INSERT INTO races VALUES
    (1, 'RICH', 'good', 320, 1.5, 2.50, true, '2025-07-01', '2025-07-01 10:00+10', 'ab', 'M', 5000000000),
    (2, 'TAR', 'bad', 520, 'NaN', 1.00, false, '2025-07-02', '2025-07-02 10:00+10', 'abcd', '5', -1),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (4, 'it''s', 'good', -5, 'Infinity', 0, true, '1999-12-31', '2025-01-01', 'x', 'FFA', 0),
    (5, 'rich', 'bad', 320, -0.0, 99.99, false, '2031-01-01', 'infinity', '', '', 5000000001),
    (6, '', 'good', 0, 0.1, 2.5, true, '2025-07-01', '2025-07-01 00:00+00', 'ab', 'M', 7),
    (7, '', 'bad', 0, 0.1::float8 + 0.2::float8, 0.1, true, '2025-07-01', NULL, '', '', 9007199254740993)
"""


@pytest.fixture
def con(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as con:
        con.execute("CREATE TYPE going AS ENUM ('good', 'bad')")
        con.execute(RACES)
        con.execute(ROWS)
        yield con


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "analytics.db"


def read(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{path.resolve()}?mode=ro", uri=True)) as con:
        return con.execute(sql).fetchall()


def left_out(result: SyncResult) -> str:
    return "; ".join(each for each in result.notices if "not published" in each or "published file" in each)


SAME = [
    "distance > 0",
    "distance >= -5 AND distance <> 320",
    "distance BETWEEN 0 AND 520",
    "distance NOT IN (320, 520)",
    "big > 4999999999",
    "prize > 0.1",
    "prize = 0.3",
    "big::float8 = 9007199254740992",
    "big = 9007199254740993",
    "prize >= 0 OR prize IS NULL",
    "price = 2.5",
    "price < 2",
    "prize > price",
    "distance < price",
    "venue IN ('RICH', 'it''s')",
    "venue = 'rich'",
    "venue <> ''",
    "grade IN ('M', 'FFA')",
    "grade = 'M' OR grade = venue",
    "fast",
    "NOT fast AND venue IS NOT NULL",
    "NOT (fast OR distance > 0)",
    "fast = true OR fast = false",
    "day >= '2000-01-01'",
    "day = DATE '2025-07-01'",
    '"Going" IS NULL OR distance = 0',
    "code IS NOT NULL",
]
OTHER = [
    "venue > 'R'",
    "venue LIKE 'R%'",
    "lower(venue) = 'rich'",
    "code = 'ab'",
    "distance + 1 > 0",
    "price * 2 > 4",
    "at > '2025-07-01'",
    "distance / 2 > 100",
    "prize::int > 1",
    "prize::numeric = 0.3",
    "price = 0.1000000000000000000001",
    "CASE WHEN fast THEN distance > 0 ELSE true END",
    "coalesce(distance, 1) > 0",
    "day > current_date",
    "(distance > 0) IS TRUE",
]


@pytest.fixture(scope="module")
def known(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[psycopg.Connection, Path]]:
    """The races on the server, and in a published file."""
    url = postgres.url(postgres.database())
    with psycopg.connect(url, autocommit=True) as con:
        con.execute("CREATE TYPE going AS ENUM ('good', 'bad')")
        con.execute(RACES)
        con.execute(ROWS)
        target = tmp_path_factory.mktemp("known") / "analytics.db"
        sync(server_of(url), target, mirror=False)
        yield con, target


def translated(con: psycopg.Connection, written: str) -> str:
    """A condition as PostgreSQL spells it, in SQLite's words."""
    with con.transaction(force_rollback=True):
        con.execute(f"ALTER TABLE races ADD CONSTRAINT demanded CHECK ({written}) NOT VALID")
        (relation,), _ = relations(con, {})
        ((spelled,),) = con.execute(
            "SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conname = 'demanded'"
        ).fetchall()
        return condition(spelled, relation.kinds)


@pytest.mark.parametrize("written", SAME)
def test_a_condition_that_is_carried_over_chooses_the_same_rows(
    known: tuple[psycopg.Connection, Path], written: str
) -> None:
    con, published = known
    wanted = con.execute(f"SELECT id FROM races WHERE {written} ORDER BY id").fetchall()
    assert read(published, f"SELECT id FROM races WHERE {translated(con, written)} ORDER BY id") == wanted


@pytest.mark.parametrize("written", OTHER)
def test_a_condition_that_could_mean_something_else_is_left_out(
    known: tuple[psycopg.Connection, Path], written: str
) -> None:
    with pytest.raises(NotPortable):
        translated(known[0], written)


def test_constraints_are_in_the_file_or_named(con: psycopg.Connection, server: Server, target: Path) -> None:
    con.execute("ALTER TABLE races ADD CONSTRAINT positive CHECK (price >= 0), ADD UNIQUE (at, venue)")
    con.execute("ALTER TABLE races ADD CONSTRAINT short CHECK (length(venue) < 9)")
    con.execute("CREATE UNIQUE INDEX lowered ON races (lower(grade), id)")
    con.execute("CREATE DOMAIN stall AS int CHECK (value BETWEEN 1 AND 8)")
    con.execute("CREATE TABLE runs (race int REFERENCES races, box stall NOT NULL, PRIMARY KEY (race, box))")
    con.execute("INSERT INTO runs VALUES (1, 3)")
    done = sync(server, target)
    made = dict(read(target, "SELECT name, sql FROM sqlite_schema"))
    assert 'CONSTRAINT "positive" CHECK (("price" >= 0))' in made["races"]
    assert made["races_at_venue_key"].startswith("CREATE UNIQUE INDEX")
    assert '"box" INTEGER NOT NULL, PRIMARY KEY ("race", "box")' in made["runs"]
    assert left_out(done) == (
        "what staging demands of its rows and the published file does not: races.short (CHECK),"
        " races.lowered (unique index), runs.box (domain's CHECK), runs.runs_race_fkey (foreign key)"
    )


def test_rows_that_change_places_do_not_hinder_each_other(
    con: psycopg.Connection, server: Server, target: Path
) -> None:
    con.execute("CREATE TABLE boxes (id int PRIMARY KEY, box int, UNIQUE (box) DEFERRABLE)")
    con.execute("INSERT INTO boxes SELECT i, i FROM generate_series(1, 100) i")
    sync(server, target)
    con.execute("UPDATE boxes SET box = 101 - box WHERE id IN (1, 100)")
    con.execute("DELETE FROM boxes WHERE id = 50")
    con.execute("INSERT INTO boxes VALUES (500, 50)")
    done = sync(server, target, verify=True)
    assert compare(server, target).equal
    assert "1 table by changed rows" in str(done.notices)
    ((sql,),) = read(target, "SELECT sql FROM sqlite_schema WHERE name = 'boxes_box_key'")
    assert sql.startswith("CREATE UNIQUE INDEX")


def test_what_sqlite_does_not_bear_is_left_out_and_named_each_time(
    con: psycopg.Connection, server: Server, target: Path
) -> None:
    con.execute("CREATE TABLE odd (id int PRIMARY KEY, a int[] UNIQUE)")
    con.execute("INSERT INTO odd VALUES (1, '{1,2}'), (2, '[0:1]={1,2}')")
    for number in range(2):
        done = sync(server, target)
        assert "odd.odd_a_key (unique index)" in left_out(done)
        assert compare(server, target).equal
        con.execute("INSERT INTO odd VALUES (%s, NULL)", (number + 10,))


VIEWS = {
    "plain": "SELECT id, venue AS track, fast, day, price FROM races WHERE distance > 0 AND venue <> ''",
    "counted": "SELECT venue, fast, count(*), count(price) AS priced, sum(distance), max(big) AS top"
    " FROM races GROUP BY venue, fast",
    "joined": "SELECT a.id, b.venue FROM races a JOIN races b ON a.id = b.id LEFT JOIN races c"
    " ON c.distance = b.distance AND c.id > 4 WHERE a.day >= '2000-01-01' OR a.day IS NULL",
    "several": "SELECT DISTINCT r.venue FROM races r, races other WHERE r.id = other.id",
    "over": 'SELECT track AS "The track", price FROM plain WHERE id < 6',
}
OTHER_VIEWS = {
    "ordered": "SELECT id FROM races ORDER BY venue",
    "computed": "SELECT id, price / 3 AS third FROM races",
    "averaged": "SELECT avg(distance) AS mean FROM races",
    "summed": "SELECT sum(price) AS total FROM races",
    "cut": "SELECT id FROM races LIMIT 2",
    "padded": "SELECT code, count(*) AS n FROM races GROUP BY code",
    "nested": "SELECT id FROM (SELECT id FROM races) r",
    "upon": "SELECT id FROM computed",
    "zoned": "SELECT id FROM races WHERE at > '2025-07-01'",
}


def test_views_that_sqlite_understands_alike_are_published_and_others_named(
    con: psycopg.Connection, server: Server, target: Path
) -> None:
    for name, sql in {**VIEWS, **OTHER_VIEWS}.items():
        con.execute(f"CREATE VIEW {name} AS {sql}")
    done = sync(server, target)
    names = {name for (name,) in read(target, "SELECT name FROM sqlite_schema WHERE type = 'view'")}
    assert names == set(VIEWS)
    for name in VIEWS:
        wanted = con.execute(f"SELECT * FROM {name}")
        with closing(sqlite3.connect(target)) as lite:
            got = lite.execute(f"SELECT * FROM {name}")
            assert [each[0] for each in got.description] == [each[0] for each in wanted.description or ()]
            stored = [tuple(map(_as_stored, row)) for row in wanted]
            assert sorted(got.fetchall(), key=repr) == sorted(stored, key=repr), name
    assert "averaged, computed, cut, nested, ordered and 4 more" in left_out(done)


def _as_stored(value: Any) -> Any:
    if isinstance(value, bool | int | type(None) | str):
        return int(value) if isinstance(value, bool) else value
    return str(value) if hasattr(value, "isoformat") else float(value)


def test_views_follow_staging(con: psycopg.Connection, server: Server, target: Path) -> None:
    con.execute("CREATE VIEW v AS SELECT id FROM races WHERE distance > 0")
    con.execute("CREATE VIEW w AS SELECT id FROM v")
    sync(server, target)
    con.execute("DROP VIEW w; CREATE OR REPLACE VIEW v AS SELECT id FROM races WHERE distance > 400")
    con.execute("UPDATE races SET distance = 600 WHERE id = 1")
    sync(server, target)
    assert read(target, "SELECT id FROM v ORDER BY id") == [(1,), (2,)]
    assert read(target, "SELECT name FROM sqlite_schema WHERE type = 'view'") == [("v",)]


def test_a_view_reads_what_staging_reads_where_collations_differ(
    con: psycopg.Connection, server: Server, target: Path
) -> None:
    con.execute("CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
    con.execute("CREATE TABLE dogs (id int, name text COLLATE loose CHECK (name <> 'none'))")
    con.execute("CREATE VIEW known AS SELECT id FROM dogs WHERE name = 'abc'")
    said = left_out(sync(server, target))
    assert "known" in said and "dogs.dogs_name_check (CHECK)" in said


def test_rows_that_a_policy_may_hide_are_named_and_noticed_when_they_appear(
    con: psycopg.Connection, postgres: PostgresServer, target: Path
) -> None:
    con.execute("ALTER TABLE races ENABLE ROW LEVEL SECURITY")
    every = "current_setting('own.every', true) = 'on'"
    con.execute(f"CREATE POLICY seen ON races USING (venue = 'RICH' OR {every})")
    con.execute("DROP ROLE IF EXISTS half")
    con.execute(f"CREATE ROLE half LOGIN PASSWORD '{postgres.password}'")
    con.execute("GRANT SELECT ON races TO half")
    half = server_of(f"postgresql://half:{postgres.password}@127.0.0.1:{postgres.port}/{con.info.dbname}")
    try:
        done = sync(half, target)
        assert done.rows == {"races": 1}
        (said,) = (each for each in done.notices if "row policies" in each)
        assert said.endswith(": races")
        con.execute("ALTER ROLE half SET own.every = 'on'")  # all rows are seen now, and none was written
        assert sync(half, target).rows == {"races": 7}
    finally:
        con.execute("DROP OWNED BY half; DROP ROLE half")
