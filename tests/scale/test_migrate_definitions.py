"""Keys, constraints, defaults, indexes and views on the way to PostgreSQL, and back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from greynb.errors import DatabaseError
from greynb.migration.contents import content_of
from greynb.migration.servers.restoring import hashes, restore
from greynb.routing import Server
from tests.scale.brought import brought, made, returned
from tests.scale.conftest import server_of
from tests.scale.server import PostgresServer


@pytest.fixture(scope="module")
def server(postgres: PostgresServer) -> Server:
    """An empty database for all tests of the module, which commit nothing."""
    return server_of(postgres.url(postgres.database()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


ODD = """
    CREATE TABLE parents (name TEXT PRIMARY KEY, born DATE) WITHOUT ROWID;
    CREATE TABLE children (
        id INTEGER PRIMARY KEY, parent TEXT REFERENCES Parents (Name) DEFERRABLE INITIALLY DEFERRED,
        "n°" INT UNIQUE, kind TEXT CHECK (kind IN ('dog', 'bitch')) DEFAULT 'dog',
        seen DATETIME DEFAULT CURRENT_TIMESTAMP, day TEXT DEFAULT (date('now')), price NUMERIC DEFAULT 1.5,
        fast BOOLEAN DEFAULT 1, odd TEXT DEFAULT (lower(hex(randomblob(2)))),
        full TEXT GENERATED ALWAYS AS (kind || '!') STORED, age INT AS (abs("n°")) VIRTUAL,
        late INT AS (unicode(kind))
    );
    CREATE TABLE strict (a ANY, b INT NOT NULL) STRICT;
    CREATE TABLE loose (code TEXT PRIMARY KEY, v);
    CREATE TABLE empty (a DATETIME, b BOOLEAN, c NUM, d, e BLOB);
    CREATE INDEX fast_ones ON children (seen DESC, kind) WHERE fast = 1;
    CREATE INDEX by_age ON children (abs("n°"));
    CREATE INDEX by_sound ON children (hex(kind));
    CREATE VIEW dogs AS SELECT c.kind, p.Born FROM children AS c JOIN parents p ON p.name = c.parent;
    CREATE VIEW halves AS SELECT "n°" / 2 AS half FROM children;
    INSERT INTO parents VALUES ('Ann', '2020-02-29'), ('Bo', NULL);
    INSERT INTO children (id, parent, "n°", kind) VALUES (1, 'Ann', -3, 'dog'), (9, 'Bo', 4, 'bitch');
    INSERT INTO strict VALUES ('x', 1); INSERT INTO loose VALUES (NULL, x'00'), ('a', NULL), (NULL, NULL);
"""


@pytest.fixture(scope="module")
def odd(folder: Path) -> Path:
    return made(folder / "odd.db", ODD)


def test_columns_are_computed_counted_and_filled_by_default(odd, server):
    with brought(odd, server) as (con, _):
        con.execute("INSERT INTO children (parent, \"n°\") VALUES ('Ann', 5)")
        asked = 'SELECT id, kind, price, fast, "full", age, odd FROM children WHERE "n°" = 5'
        assert con.execute(asked).fetchall() == [(10, "dog", 1.5, True, "dog!", 5, None)]
        utc = "now() AT TIME ZONE 'UTC'"
        moments = f"seen = date_trunc('second', {utc}), day = to_char({utc}, 'YYYY-MM-DD')"
        assert con.execute(f"SELECT {moments} FROM children WHERE id = 10").fetchall() == [(True, True)]


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("INSERT INTO children (kind) VALUES ('cat')", errors.CheckViolation),
        ('INSERT INTO children ("n°") VALUES (4)', errors.UniqueViolation),
        ("INSERT INTO children (id) VALUES (9)", errors.UniqueViolation),
        ("INSERT INTO strict (a) VALUES ('y')", errors.NotNullViolation),
        ("INSERT INTO loose (code) VALUES ('a')", errors.UniqueViolation),
        (
            "INSERT INTO children (parent) VALUES ('Cy'); SET CONSTRAINTS ALL IMMEDIATE",
            errors.ForeignKeyViolation,
        ),
    ],
)
def test_constraints_hold_there_too(sql, error, odd, server):
    with brought(odd, server) as (con, _), pytest.raises(error):
        con.execute(sql)


def test_indexes_and_views_go_along_where_they_mean_the_same(odd, server):
    with brought(odd, server) as (con, _):
        asked = "SELECT indexname FROM pg_indexes WHERE tablename = 'children' ORDER BY 1"
        names = [name for (name,) in con.execute(asked).fetchall()]
        assert names == ["by_age", "children_n°_key", "children_pkey", "fast_ones"]
        views = con.execute("SELECT viewname::text FROM pg_views WHERE schemaname = 'public'").fetchall()
        assert views == [("dogs",)]
        assert con.execute("SELECT count(*) FROM dogs").fetchall() == [(2,)]


@pytest.mark.parametrize(
    ("view", "why"),
    [
        ("SELECT * FROM dogs WHERE name = 'Bo' AND (born >= '2020-01-01' OR NOT is_fast)", None),
        (
            "SELECT d.Name AS Who, count(*) AS N FROM Dogs d LEFT JOIN runs r ON R.dog = d.id GROUP BY name",
            None,
        ),
        ("SELECT \"name\", CASE WHEN is_fast = 1 THEN 'fast' ELSE 'slow' END AS speed FROM [dogs]", None),
        ("SELECT dog, max(price) AS best, 2 * price AS twice FROM runs GROUP BY dog, price", None),
        ("SELECT id FROM dogs WHERE name LIKE 'B%' OR lower(name) = 'ann' OR ifnull(name, '') = ''", None),
        ("SELECT name FROM dogs WHERE id LIKE '1%'", "LIKE may mean"),
        ("SELECT name FROM dogs WHERE name LIKE 'b!%' ESCAPE '!'", "LIKE may mean"),
        ("SELECT price / 2 AS half FROM runs", "/ may mean"),
        ("SELECT name FROM dogs LIMIT 1", "LIMIT may mean"),
        ("SELECT name FROM dogs WHERE is_fast IS TRUE", "IS compares values"),
        ("SELECT name || 1 + 1 AS x FROM dogs", "|| binds"),
        ("SELECT dog, max(price) AS m, id FROM runs", "must appear in the GROUP BY"),
        ("SELECT name FROM gone", 'relation "gone" does not exist'),
        ("SELECT at FROM runs", "it gives other rows there"),
    ],
)
def test_a_view_goes_along_only_if_it_means_the_same(view, why, folder, server):
    script = (
        "CREATE TABLE dogs (id INTEGER PRIMARY KEY, name TEXT, born DATE, is_fast BOOLEAN);"
        "CREATE TABLE runs (id INTEGER PRIMARY KEY, dog INT, price DECIMAL(5, 2), at DATETIME);"
        "INSERT INTO dogs VALUES (1, 'Ann', '2020-02-29', 0), (2, 'Bo', '2021-01-01', 1);"
        "INSERT INTO dogs (id) VALUES (3);"
        "INSERT INTO runs VALUES (1, 1, 5, '2025-07-01T10:30:00'), (2, 1, 5.5, NULL);"
    )
    path = made(folder / "view.db", f"{script} CREATE VIEW seen AS {view};")
    with brought(path, server) as (con, said):
        if why is None:
            assert not said
            assert con.execute("SELECT count(*) > 0 FROM seen").fetchall() == [(True,)]
        else:
            assert [each for each in said if each.startswith("view seen: ") and why in each], said
    assert content_of(returned(path, server)) == content_of(path)


CASELESS = """
    CREATE TABLE dogs (
        name TEXT COLLATE NOCASE UNIQUE, kind TEXT COLLATE NOCASE CHECK (kind IN ('Dog', 'bitch')),
        owner TEXT COLLATE RTRIM, note TEXT CHECK (note NOT LIKE '%BAD_?%'), weight INT COLLATE NOCASE
    );
    CREATE TABLE tracks (code TEXT COLLATE NOCASE PRIMARY KEY) WITHOUT ROWID;
    CREATE UNIQUE INDEX by_owner ON dogs (owner) WHERE kind <> 'BITCH';
    CREATE INDEX by_note ON dogs (note COLLATE NOCASE DESC, weight);
    CREATE VIEW shown AS SELECT name, owner FROM dogs WHERE note IS NULL;
    CREATE VIEW found AS SELECT note FROM dogs WHERE name = 'ann';
    CREATE VIEW names AS SELECT DISTINCT name FROM dogs;
    INSERT INTO dogs VALUES ('Ann', 'DOG', 'Jo', 'good', 30), ('É', 'Bitch', 'jo', NULL, 25);
    INSERT INTO tracks VALUES ('MEA');
"""
WRITTEN = (
    *("dogs VALUES ('ANN', NULL, NULL, NULL, 1)", "dogs VALUES ('é', NULL, NULL, NULL, 1)"),
    *("dogs VALUES (NULL, 'biTCH', NULL, NULL, 1)", "dogs VALUES (NULL, 'cat', NULL, NULL, 1)"),
    *("dogs VALUES (NULL, 'dog', 'Jo  ', NULL, 1)", "dogs VALUES (NULL, 'dog', 'JO', NULL, 1)"),
    *("dogs VALUES (NULL, 'bitch', 'Jo  ', NULL, 1)", "dogs VALUES (NULL, 'doG', 'Jo' || char(9), NULL, 1)"),
    *("dogs VALUES (NULL, NULL, NULL, 'so Badé? x', 1)", "dogs VALUES (NULL, NULL, NULL, 'bad?', 1)"),
    *("tracks VALUES ('mea')", "tracks VALUES ('mea ')", "tracks VALUES ('ME')"),
)


def test_what_ignores_case_or_blanks_takes_the_same_rows_there_and_is_named(folder, server):
    path = made(folder / "caseless.db", CASELESS)
    with brought(path, server) as (con, said), closing(sqlite3.connect(path)) as lite:
        takes = []
        for each in WRITTEN:
            here = there = True
            try:
                lite.execute(f"INSERT INTO {each}")
            except sqlite3.IntegrityError:
                here = False
            try:
                with con.transaction(force_rollback=False):
                    con.execute(f"INSERT INTO {each.replace('char(9)', 'chr(9)')}")
            except errors.IntegrityError:
                there = False
            takes.append((each, here, there))
        assert [each for each in takes if each[1] != each[2]] == []
        assert {here for _, here, _ in takes} == {True, False}
        assert con.execute("SELECT count(*) > 1 FROM shown").fetchall() == [(True,)]
    assert sorted(each.partition(":")[0] for each in said) == [
        *("collation of dogs.kind", "collation of dogs.name", "collation of dogs.owner"),
        *("collation of tracks.code", "view found", "view names"),
    ]
    assert content_of(returned(path, server)) == content_of(path)


def test_an_index_of_texts_that_are_too_long_for_it_is_left_and_a_key_is_refused(folder, server):
    long = "".join(f"{number:x}" for number in range(3000))
    script = f"CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('{long}'); CREATE "
    with brought(made(folder / "index.db", script + "INDEX i ON t (a)"), server) as (_, said):
        assert "index i: index row" in said[0]
    unique = made(folder / "index.db", script + "UNIQUE INDEX i ON t (a)")
    with pytest.raises(DatabaseError, match="index i cannot be made in PostgreSQL"), brought(unique, server):
        pass


def test_rows_without_a_parent_go_along_and_only_new_ones_are_checked(folder, server):
    script = "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p INT REFERENCES p); "
    path = made(folder / "orphans.db", script + "INSERT INTO c VALUES (1), (2)")
    with brought(path, server) as (con, said):
        assert said == [
            "foreign key of c to p: rows without a parent: 2; only new ones are checked there",
        ]
        with pytest.raises(errors.ForeignKeyViolation):
            con.execute("INSERT INTO c VALUES (3)")


def test_what_is_not_carried_over_is_named_with_its_reason(folder, server):
    path = made(folder / "named.db", ODD + "CREATE VIRTUAL TABLE words USING fts5 (w);")
    with brought(path, server) as (_, said):
        for what in (
            "children.late is computed: unicode() may mean",
            "default of children.odd: it is computed in a way of SQLite's",
            "primary key of loose: it holds NULL",
            "index by_sound: hex() may mean",
            "view halves: / may mean",
            "virtual table words: with what it holds",
        ):
            assert [each for each in said if each.startswith(what)], (what, said)
        assert len(said) == 6


def test_odd_tables_come_back_with_their_schema(odd, server):
    assert content_of(returned(odd, server)) == content_of(odd)


CHANGED = """
    ALTER TABLE parents ADD COLUMN weight numeric(6, 2) CHECK (weight > 0) DEFAULT 30.25;
    DROP TABLE strict;
    CREATE TABLE kennels (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner text NOT NULL UNIQUE,
        parent text REFERENCES parents ON DELETE CASCADE, exact numeric, tags text[], at timestamptz);
    CREATE INDEX by_parent ON kennels (parent, at);
    CREATE VIEW heavy AS SELECT * FROM parents WHERE weight > 40;
    INSERT INTO kennels (owner, parent, exact, tags, at)
        VALUES ('x', 'Ann', 1.23456789012345678901, '{a,b}', '2025-07-01 12:00+02');
"""


def test_what_was_made_or_changed_in_postgresql_comes_to_sqlite_as_it_is_there(server, folder):
    path, back = made(folder / "changed.db", ODD), folder / "changed-back.db"
    with brought(path, server) as (con, _):
        con.execute(CHANGED)
        done = restore(con, back, lambda _: None)
        assert done.content == hashes(con, lambda _: None)
    found = content_of(back)
    assert {name: found[name] for name in done.content} == done.content
    assert found["children"] == content_of(path)["children"] and "strict" not in found
    with closing(sqlite3.connect(back)) as con:
        assert con.execute("SELECT * FROM kennels").fetchall() == [
            (1, "x", "Ann", "1.23456789012345678901", '["a","b"]', "2025-07-01 10:00:00")
        ]
        assert con.execute("SELECT weight FROM parents").fetchall() == [(30.25,), (30.25,)]
        with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
            con.execute("INSERT INTO kennels (owner) VALUES ('x')")
        assert con.execute("PRAGMA foreign_key_list(kennels)").fetchall()[0][2:7] == (
            "parents",
            "parent",
            "name",
            "NO ACTION",
            "CASCADE",
        )
    said = "\n".join(done.notices)
    for what in (
        "parents was changed",
        "strict is not in PostgreSQL",
        "the view heavy",
        "the default of weight",
    ):
        assert what in said


def test_rows_that_break_what_sqlite_demands_of_them_are_not_brought_back(server, folder):
    path = made(folder / "broken.db", "CREATE TABLE t (a INT UNIQUE); INSERT INTO t VALUES (1)")
    with brought(path, server) as (con, _):
        con.execute("ALTER TABLE t DROP CONSTRAINT t_a_key; INSERT INTO t VALUES (1)")
        with pytest.raises(DatabaseError, match=r"rows of t break what SQLite demands.*UNIQUE"):
            restore(con, folder / "broken-back.db", lambda _: None)


HELD_BACK = """
    CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TABLE odd (a float8, b float4, span int4range, EXCLUDE USING gist (span WITH &&));
    CREATE UNIQUE INDEX part ON odd (a) WHERE b > 0;
    CREATE TRIGGER looked BEFORE INSERT ON odd FOR EACH ROW EXECUTE FUNCTION seen();
    INSERT INTO odd VALUES ('-0', '-0', '[1,2)'), ('NaN', 'Infinity', NULL);
    CREATE SCHEMA elsewhere CREATE TABLE unseen (x int);
"""


def test_what_stays_in_postgresql_is_named_and_each_number_comes(url, tmp_path):
    with psycopg.connect(url) as con:
        con.execute(HELD_BACK)
        done = restore(con, tmp_path / "back.db", lambda _: None)
        con.rollback()
    found = content_of(tmp_path / "back.db")
    assert {name: found[name] for name in done.content} == done.content
    said = "\n".join(done.notices)
    for what in ("exclusion odd_span_excl", "index part", "trigger looked", "elsewhere.unseen is not on the"):
        assert what in said


def test_rows_that_the_role_may_not_see_are_not_left_behind_in_silence(url, tmp_path):
    with psycopg.connect(url) as con:
        con.execute("CREATE TABLE kept (a int); INSERT INTO kept VALUES (1), (2)")
        con.execute("ALTER TABLE kept ENABLE ROW LEVEL SECURITY; CREATE POLICY one ON kept USING (a = 1)")
        con.execute("CREATE ROLE half; GRANT SELECT ON kept TO half; SET LOCAL ROLE half")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            restore(con, tmp_path / "back.db", lambda _: None)
        con.rollback()
