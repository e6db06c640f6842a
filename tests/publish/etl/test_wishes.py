"""Types wished for: what becomes of values, of the declared type, and of everything else of the table."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from greynb.databases.census import take_census
from greynb.databases.columns import choose
from greynb.errors import PublishError
from greynb.publish.etl import Plan, apply
from greynb.publish.etl.declaring import needed_type, retyped
from greynb.publish.etl.plan import KINDS, Wish
from greynb.publish.etl.values import converted
from tests.publish.etl.helpers import applied, database, dump, query

TYPES = {
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "integer": "BIGINT",
    "real": "DOUBLE",
    "text": "VARCHAR",
    "boolean": "BOOLEAN",
}
DECLARED = ["", "NUM", "INTEGER", "INT", "TEXT", "REAL", "BOOLEAN", "DATE", "DATETIME", "BLOB", "VARCHAR(9)"]
LOST = object()


def type_of(path: Path, table: str, column: str) -> str:
    with closing(sqlite3.connect(path)) as con:
        con.text_factory = bytes
        census = take_census(
            lambda sql: [
                [each.decode() if isinstance(each, bytes) else each for each in row]
                for row in con.execute(sql).fetchall()
            ]
        )
    return choose(next(each for each in census[table].columns if each.name == column))


VALUES = [
    ("date", "2025-07-01", "2025-07-01"),
    ("date", " 2025-07-01 ", "2025-07-01"),
    ("date", "2025-07-01 00:00:00", "2025-07-01"),
    ("date", "2025-07-01 00:00:01", LOST),
    ("date", "2025-02-30", LOST),
    ("date", "01/07/2025", LOST),
    ("date", 20250701, LOST),
    ("timestamp", "2025-07-01T10:00:00.5", "2025-07-01 10:00:00.500000"),
    ("timestamp", "2025-07-01 10:00:00.1234560", "2025-07-01 10:00:00.123456"),
    ("timestamp", "2025-07-01 10:00:00.1234561", LOST),
    ("timestamp", "2025-07-01 10:00:00Z", LOST),
    ("timestamp", "2025-07-01 24:00", LOST),
    ("timestamp", 1751364000, LOST),
    ("integer", "007", 7),
    ("integer", "-3.00", -3),
    ("integer", 3.0, 3),
    ("integer", 3.5, LOST),
    ("integer", math.inf, LOST),
    ("integer", "9223372036854775808", LOST),
    ("integer", 2.0**63, LOST),
    ("integer", "1,234", LOST),
    ("integer", "", LOST),
    ("integer", b"1", LOST),
    ("integer", "٣", LOST),
    ("real", "1e3", 1000.0),
    ("real", 2**53, 2.0**53),
    ("real", 2**53 + 1, LOST),
    ("real", "9007199254740993", LOST),
    ("real", "1e999", LOST),
    ("real", "1e-999", LOST),
    ("real", "0e-999", 0.0),
    ("real", "nan", LOST),
    ("real", "1_000", LOST),
    ("text", 1, "1"),
    ("text", 0.1, "0.1"),
    ("text", b"x", LOST),
    ("boolean", "Yes", 1),
    ("boolean", 0.0, 0),
    ("boolean", 2, LOST),
    ("boolean", "on", LOST),
]


@pytest.mark.parametrize(("kind", "value", "expected"), VALUES)
def test_a_value_keeps_its_meaning_or_is_lost(kind: str, value: Any, expected: Any) -> None:
    wish = Wish("t.c", kind)
    if expected is LOST:
        with pytest.raises(ValueError):
            converted(value, wish)
        return
    result = converted(value, wish)
    assert (result, type(result)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("value", "options", "expected"),
    [
        ("01/07/2025", {"format": "%d/%m/%Y"}, "2025-07-01 00:00:00"),
        (20250701, {"format": "%Y%m%d"}, "2025-07-01 00:00:00"),
        ("2025-07-01T00:00:00Z", {"zone": "Australia/Melbourne"}, "2025-07-01 10:00:00"),
        ("2025-07-01T00:00:00+1000", {"zone": "UTC"}, "2025-06-30 14:00:00"),
        (1751328000, {"format": "unix", "zone": "UTC"}, "2025-07-01 00:00:00"),
        ("1751328000500", {"format": "unix_ms", "zone": "UTC"}, "2025-07-01 00:00:00.500000"),
        (1e300, {"format": "unix", "zone": "UTC"}, LOST),
        (math.inf, {"format": "unix", "zone": "UTC"}, LOST),
        ("2025-07-01", {"format": "%d/%m/%Y"}, LOST),
        ("0001-01-01T00:00:00+10:00", {"zone": "UTC"}, LOST),
    ],
)
def test_dates_written_otherwise_need_to_be_explained(value: Any, options: Any, expected: Any) -> None:
    wish = Wish("t.c", "timestamp", **options)
    if expected is LOST:
        with pytest.raises(ValueError):
            converted(value, wish)
    else:
        assert converted(value, wish) == expected


SEEMING = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.binary(max_size=5),
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(["", "yes", "NO", "true", "1.0", " 5 ", "2025-02-30", "01/07/2025", "0", "1", "T"]),
    st.datetimes().map(str),
    st.datetimes().map(datetime.isoformat),
    st.dates().map(str),
    st.datetimes(timezones=st.timezones()).map(str),
)


def means_the_same(kind: str, before: Any, after: Any) -> bool:
    """Judge by other means than the code under test."""
    if kind == "text":
        return bool(type(before)(after) == before)
    if kind == "boolean":
        return str(before).strip().lower()[0] in ("1ty" if after else "0fn")
    if kind in ("integer", "real"):
        return bool(float(before) == float(after)) and (not isinstance(before, int) or int(after) == before)
    moment = datetime.fromisoformat(after)
    return moment == datetime.fromisoformat(before.strip())


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(values=st.lists(SEEMING, max_size=12), declared=st.sampled_from(DECLARED))
@example(values=["0001-01-01", "9999-12-31 23:59:59.999999"], declared="NUM")
def test_every_row_is_converted_lost_or_null_and_read_as_wished(
    kind: str, values: list[Any], declared: str
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "d.db"
        with closing(sqlite3.connect(path)) as con, con:
            con.execute(f"CREATE TABLE t (c {declared}, other)")
            con.executemany("INSERT INTO t VALUES (?, ?)", [(each, n) for n, each in enumerate(values)])
            before = con.execute("SELECT rowid, c FROM t").fetchall()
        plan = Plan(Path(folder) / "greynb.toml", wishes=(Wish("t.c", kind, max_lost=99),))
        (done,) = apply(path, plan).wishes
        after = query(path, "SELECT rowid, c FROM t")
        assert done.rows == done.converted + done.lost + done.nulls == len(values)
        assert [row[0] for row in after] == [row[0] for row in before]
        lost = [
            new for (_, old), (_, new) in zip(before, after, strict=True) if old is not None and new is None
        ]
        assert len(lost) == done.lost
        for (_, old), (_, new) in zip(before, after, strict=True):
            if new is not None and (old, type(old)) != (new, type(new)):
                assert means_the_same(kind, old, new), (old, new)
        assert type_of(path, "t", "c") == TYPES[kind]
        again = apply(path, plan).wishes[0]
        assert (again.changed, again.lost, again.declared) == (0, 0, None)


def test_too_many_lost_values_stop_the_publication(tmp_path: Path) -> None:
    path = database(
        tmp_path / "d.db",
        "CREATE TABLE t (a NUM); INSERT INTO t VALUES ('2025-07-01'), ('01/07/2025'), (''), ('31/12/2025')",
    )
    before = dump(path)
    with pytest.raises(PublishError) as caught:
        applied(path, "[types]\nt.a = {type = 'date', missing = [''], max_lost = 1}")
    text = str(caught.value)
    assert "t.a as date: 2 of 4 values would be lost, allowed 1" in text
    assert "rowid 2: '01/07/2025'" in text
    assert dump(path) == before
    report = applied(path, "[types]\nt.a = {type = 'date', missing = [''], max_lost = 2}")
    (done,) = report.wishes
    assert (done.rows, done.nulls, done.converted, done.changed, done.lost) == (4, 1, 1, 0, 2)
    assert done.examples == ("rowid 2: '01/07/2025'", "rowid 4: '31/12/2025'")
    assert "0 of 1 values changed, 2 lost" in str(report)


RICH = """
CREATE TABLE parent (id INTEGER PRIMARY KEY);
CREATE TABLE log (what);
CREATE TABLE "odd ""name" ( -- a comment, with a comma
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  [stamp] NUM DEFAULT (datetime('now', '+1 day')) NOT NULL,
  price DECIMAL(5, 2) CHECK (price <> 'x'),
  flag, 'quoted' VARCHAR (10) COLLATE NOCASE UNIQUE ON CONFLICT IGNORE,
  double_price AS (price * 2), stored TEXT GENERATED ALWAYS AS (flag || 'x') STORED,
  parent INTEGER REFERENCES parent (id), own INTEGER REFERENCES "odd ""name" (id),
  CONSTRAINT both UNIQUE (stamp, price), CHECK (flag IN ('yes', 'no', 0, 1))
);
CREATE TABLE child (p INTEGER REFERENCES "odd ""name" (id));
CREATE INDEX by_price ON "odd ""name" (price) WHERE flag = 'yes';
CREATE VIEW prices AS SELECT price FROM "odd ""name";
CREATE TRIGGER noted AFTER INSERT ON "odd ""name" BEGIN INSERT INTO log VALUES (new.id); END;
CREATE TRIGGER other AFTER INSERT ON child BEGIN UPDATE "odd ""name" SET price = 1 WHERE id = new.p; END;
INSERT INTO "odd ""name" (id, stamp, price, flag, quoted) VALUES
  (3, '2025-07-01T10:00', '1.5', 'yes', 'a'),
  (9, '2025-07-02', '2', 'no', 'b'), (50, '2025-07-03', 3, 'no', 'c');
DELETE FROM "odd ""name" WHERE id = 50;
DELETE FROM log;
"""


def test_everything_else_of_a_table_stays(tmp_path: Path) -> None:
    path = database(tmp_path / "d.db", RICH)
    schema = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"
    before = {row[1]: row for row in query(path, schema)}
    applied(
        path,
        "analyze = false\n[types.'odd \"name']\nstamp = 'timestamp'\nprice = 'real'\n"
        "flag = 'boolean'\nquoted = 'text'\nparent = 'integer'",
    )
    after = {row[1]: row for row in query(path, schema)}
    table = 'odd "name'
    old, new = before.pop(table), after.pop(table)
    assert after == before
    assert new[3] == (
        old[3]
        .replace("[stamp] NUM", "[stamp] TIMESTAMP")
        .replace("DECIMAL(5, 2)", "REAL")
        .replace("flag, 'quoted'", "flag BOOLEAN, 'quoted'")
    )
    assert query(path, 'SELECT id, stamp, price, flag, quoted, double_price FROM "odd ""name"') == [
        (3, "2025-07-01T10:00", 1.5, 1, "a", 3.0),
        (9, "2025-07-02", 2.0, 0, "b", 4.0),
    ]
    assert query(path, "SELECT * FROM log") == []
    assert query(path, "SELECT * FROM sqlite_sequence") == [(table, 50)]
    with closing(sqlite3.connect(path)) as con:
        con.execute("INSERT INTO child VALUES (9)")
        assert con.execute("SELECT price FROM prices").fetchall() == [(1.5,), (1.0,)]


def test_tables_without_rowid_and_strict_ones(tmp_path: Path) -> None:
    path = database(
        tmp_path / "d.db",
        "CREATE TABLE w (k TEXT, n TEXT, v TEXT, PRIMARY KEY (k, n)) WITHOUT ROWID;"
        " INSERT INTO w VALUES ('1','2','3');"
        "CREATE TABLE s (a TEXT, b ANY) STRICT; INSERT INTO s VALUES ('1', '5')",
    )
    applied(path, "[types]\nw.k = 'integer'\nw.v = 'real'\n's.*' = 'integer'")
    assert query(path, "SELECT * FROM w, s") == [(1, "2", 3.0, 1, 5)]
    with pytest.raises(PublishError, match=r"s.a cannot become date: the table is STRICT"):
        applied(path, "[types]\ns.a = 'date'")


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        ("t.id = 'text'", "it is the table's INTEGER PRIMARY KEY"),
        ("t.g = 'text'", "it is a generated column"),
        ("v.a = 'text'", "it is of a view"),
        ("c.a = 'integer'", "the types of c cannot be changed: error in table"),
        ("t.b = 'text'", "types: there is no column t.b"),
        ("t.u = 'integer'", "do not go with a rule of t: UNIQUE constraint failed: t.u"),
        ("t.n = {type = 'integer', max_lost = 1}", "do not go with a rule of t: NOT NULL constraint failed"),
    ],
)
def test_a_wish_that_cannot_be_fulfilled_says_why(tmp_path: Path, wish: str, problem: str) -> None:
    path = database(
        tmp_path / "d.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, g AS (a), u TEXT UNIQUE, n TEXT NOT NULL);"
        "CREATE VIEW v AS SELECT a FROM t; CREATE TABLE c (a TEXT CHECK (c.a <> ''));"
        "INSERT INTO t VALUES (1, 'x', '1', '1'), (2, 'y', '01', 'z')",
    )
    before = dump(path)
    with pytest.raises(PublishError, match=problem):
        applied(path, f"[types]\n{wish}")
    assert dump(path) == before


def test_a_table_of_as_many_columns_as_there_can_be(tmp_path: Path) -> None:
    columns = ", ".join(f"c{number} NUM" for number in range(2000))
    path = database(
        tmp_path / "d.db", f"CREATE TABLE t ({columns}); INSERT INTO t (c7, c1999) VALUES (1, 'x')"
    )
    report = applied(path, "[types]\n'*.*' = 'text'")
    assert len(report.wishes) == 2000
    assert query(path, "SELECT c7, c8, c1999 FROM t") == [("1", None, "x")]


def test_an_exact_name_comes_before_a_pattern(tmp_path: Path) -> None:
    path = database(tmp_path / "d.db", "CREATE TABLE t (a, b); INSERT INTO t VALUES ('1', '2')")
    applied(path, "[types]\n'*.?' = 'real'\nt.a = 'integer'")
    assert query(path, "SELECT typeof(a), typeof(b) FROM t") == [("integer", "real")]


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
def test_texts_of_any_encoding(tmp_path: Path, encoding: str) -> None:
    path = database(
        tmp_path / "d.db",
        f"PRAGMA encoding = '{encoding}'; CREATE TABLE t (a); INSERT INTO t VALUES (' 5 '), ('é')",
    )
    (done,) = applied(path, "[types]\nt.a = {type = 'integer', max_lost = 1}").wishes
    assert query(path, "SELECT a FROM t") == [(5,), (None,)]
    assert done.examples == ("rowid 2: 'é'",)


def test_text_that_is_not_utf8_stays_or_is_lost(tmp_path: Path) -> None:
    path = database(
        tmp_path / "d.db",
        "CREATE TABLE t (a, b); INSERT INTO t VALUES (CAST(x'ff' AS TEXT), CAST(x'ff' AS TEXT))",
    )
    applied(path, "[types]\nt.a = 'text'\nt.b = {type = 'real', max_lost = 1}")
    assert query(path, "SELECT CAST(a AS BLOB), b FROM t") == [(b"\xff", None)]


@given(st.sampled_from(KINDS), st.text(alphabet="intcharexblofdumyaes ()0", max_size=14))
def test_a_declared_type_that_was_chosen_suits(kind: str, declared: str) -> None:
    chosen = needed_type(declared, kind)
    assert chosen is None or needed_type(chosen, kind) is None


def test_a_column_that_is_not_found_is_an_error() -> None:
    with pytest.raises(ValueError, match="no column b"):
        retyped("CREATE TABLE t (a)", {"b": "INT"})


def test_a_long_conversion_can_be_stopped(tmp_path: Path) -> None:
    path = database(
        tmp_path / "d.db",
        "CREATE TABLE t (a); INSERT INTO t"
        " WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000)"
        " SELECT CAST(i AS TEXT) FROM n",
    )
    size = path.stat().st_size
    begun = datetime.now()

    def stop(_: float) -> None:
        if datetime.now() - begun > timedelta(seconds=0.15):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        applied(path, "[types]\nt.a = 'integer'", progress=stop)
    assert [each.name for each in tmp_path.iterdir() if each.suffix != ".toml"] == ["d.db"]
    assert path.stat().st_size == size
    assert query(path, "SELECT DISTINCT typeof(a) FROM t") == [("text",)]
