"""Any table of SQLite comes back from PostgreSQL the very same, or is refused by name."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greynb.databases.identifiers import fold, quote
from greynb.errors import UsageError
from greynb.migration.contents import content_of
from greynb.routing import Server
from tests.scale.brought import Row, brought, made, returned
from tests.scale.conftest import server_of
from tests.scale.server import PostgresServer

NAMES = st.one_of(
    st.sampled_from(["order", "select", "Größe", 'a"b', "100%", "%s", "a b", "user", "Races", "t'x", "é"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=9),
).filter(lambda name: not name.lower().startswith("sqlite_"))
INTEGERS = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([2**53 + 1, -(2**63), 2**63 - 1, 0, 1])
REALS = st.floats(allow_nan=True) | st.sampled_from([-0.0, 1e300, 5e-324, float("inf"), 0.1])
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9
) | st.sampled_from(
    ["", "\\N", "\\.", "a\tb\nc\rd", "\\x41", "NULL", "2025-07-01", "2025-07-01T10:30", "1e3", "0x1F", "🐕"]
)
BLOBS = st.binary(max_size=9)
DECLARED = [
    "INTEGER",
    "REAL",
    "TEXT",
    "BLOB",
    "",
    "DATE",
    "DATETIME",
    "NUM",
    "DECIMAL(5,2)",
    "BOOLEAN",
    "INT",
]


@pytest.fixture(scope="module")
def server(postgres: PostgresServer) -> Server:
    """An empty database for all tests of the module, which commit nothing."""
    return server_of(postgres.url(postgres.database()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


@dataclass
class Drawn:
    """A table's name, its columns' names and declared types, its last constraint, and rows."""

    name: str
    columns: list[str]
    declared: list[str]
    constraint: str
    rows: list[Row]


@st.composite
def tables(draw: st.DrawFn, *, mixed: bool) -> Drawn:
    width = draw(st.integers(1, 4))
    names = draw(st.lists(NAMES, min_size=width, max_size=width, unique_by=fold))
    declared = draw(st.lists(st.sampled_from(DECLARED), min_size=width, max_size=width))
    one = st.sampled_from([INTEGERS, REALS, TEXTS, BLOBS])
    every = INTEGERS | REALS | TEXTS | BLOBS | st.just("a\0b")
    values = [st.none() | (every if mixed else draw(one)) for _ in range(width)]
    rows = draw(st.lists(st.tuples(*values), max_size=12))
    key = ", ".join(map(quote, names[: draw(st.integers(1, width))]))
    constraint = draw(st.sampled_from(["", "", f", UNIQUE ({key})", f", PRIMARY KEY ({key})"]))
    return Drawn(draw(NAMES), names, declared, constraint, rows)


def filled(path: Path, table: Drawn) -> Path:
    """A file with the table and those of its rows that its constraint takes."""
    pairs = zip(table.columns, table.declared, strict=True)
    columns = ", ".join(f"{quote(name)} {kind}" for name, kind in pairs)
    made(path, f"CREATE TABLE {quote(table.name)} ({columns}{table.constraint})")
    with closing(sqlite3.connect(path)) as con, con:
        marks = ", ".join("?" * len(table.columns))
        for row in table.rows:
            with suppress(sqlite3.IntegrityError):
                con.execute(f"INSERT INTO {quote(table.name)} VALUES ({marks})", row)
    return path


SLOW = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@SLOW
@given(tables(mixed=False))
def test_a_table_whose_columns_hold_one_kind_each_comes_back_the_same(server, folder, table):
    path = filled(folder / "one.db", table)
    # SQLite itself makes several kinds of one: 1.0 is an integer in a NUMERIC column, '1e3' a number.
    try:
        back = returned(path, server)
    except UsageError as error:
        assert several_kinds(path, table), error
    else:
        assert content_of(back) == content_of(path)


@SLOW
@given(tables(mixed=True))
def test_a_table_of_mixed_columns_comes_back_the_same_or_is_refused_by_name(server, folder, table):
    path = filled(folder / "mixed.db", table)
    try:
        back = returned(path, server)
    except UsageError as error:
        assert error.detail and any(f"{table.name}.{name} holds" in error.detail for name in table.columns)
    else:
        assert content_of(back) == content_of(path)


def several_kinds(path: Path, table: Drawn) -> bool:
    with closing(sqlite3.connect(path)) as con:
        rows = con.execute(f"SELECT * FROM {quote(table.name)}").fetchall()
    kinds = [{type(row[number]) for row in rows} - {type(None)} for number in range(len(table.columns))]
    return any(len(each) > 1 for each in kinds)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('x' || char(0))", r"t\.a holds 1 text with a NUL"),
        (
            "CREATE TABLE t (a TEXT); INSERT INTO t VALUES (CAST(x'ff' AS TEXT))",
            r"t\.a holds text that is not",
        ),
        (
            "CREATE TABLE t (a); INSERT INTO t VALUES ('x'), (x'00'), (x'01')",
            r"t\.a holds 1 text and 2 blobs",
        ),
        ("CREATE TABLE t (a); INSERT INTO t VALUES (1), (1.5)", r"t\.a holds 1 integer and 1 real"),
        ("CREATE TABLE t (a REAL); INSERT INTO t VALUES (9e999), ('x')", r"inf would come back as 'inf'"),
        (f"CREATE TABLE t ({'x' * 64} INT)", "more than 63 bytes"),
        ('CREATE TABLE t ("" INT)', "empty name"),
        ("CREATE TABLE t (ctid INT)", r"t: column name \"ctid\" conflicts"),
        ("CREATE TABLE pg_class (a INT)", "pg_class: PostgreSQL has a table of its own"),
    ],
)
def test_what_postgresql_cannot_hold_is_refused_by_name(server, folder, script, said):
    path = made(folder / "refused.db", script)
    with pytest.raises(UsageError, match=said), brought(path, server):
        pass


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["2025-07-01 10:30:00", "2025-07-01 10:30:00.5"], "timestamp without time zone"),
        (["2025-07-01T10:30:00.500000", "2025-07-01T10:30:00"], "timestamp without time zone"),
        (["2025-07-01 10:30:00.120", "2025-07-01 10:30:00.000"], "timestamp without time zone"),
        (["2025-07-01T10:30:00.000000"], "timestamp without time zone"),
        (["2025-07-01 10:30", "2025-07-01 00:00"], "timestamp without time zone"),
        (["2025-07-01", "2025-07-02"], "timestamp without time zone"),
        (["2025-07-01 10:30:00", "2025-07-01T10:30:00"], "text"),
        (["2025-07-01 10:30", "2025-07-01 10:30:00"], "text"),
        (["2025-07-01 00:00:00", "2025-07-01"], "text"),
        (["2025-07-01 10:30:00", "yesterday"], "text"),
    ],
)
def test_timestamps_are_timestamps_where_they_come_back_as_they_were(server, folder, texts, kind):
    rows = ", ".join(f"('{text}')" for text in texts)
    path = made(folder / "stamps.db", f"CREATE TABLE t (a DATETIME); INSERT INTO t VALUES {rows}")
    with brought(path, server) as (con, said):
        asked = "SELECT data_type FROM information_schema.columns WHERE table_name = 't'"
        assert con.execute(asked).fetchall() == [(kind,)]
    assert bool(said) == (kind == "text" and "yesterday" not in texts)
    assert content_of(returned(path, server)) == content_of(path)


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16"])
def test_long_values_and_other_encodings_come_back(server, folder, encoding):
    script = (
        f"PRAGMA encoding = '{encoding}'; CREATE TABLE t (a TEXT, b BLOB); INSERT INTO t VALUES ('é🐕', NULL)"
    )
    path = made(folder / "long.db", script)
    with closing(sqlite3.connect(path)) as con, con:
        con.executemany(
            "INSERT INTO t VALUES (?, ?)", [("x" * n, bytes(n)) for n in (5_000_000, 0, 9_000_000)]
        )
    assert content_of(returned(path, server)) == content_of(path)


COLLECTOR = Path(__file__).parents[3] / "shared" / "data" / "collector_columns.csv"
VALUES = {
    "INTEGER": "7",
    "INT": "-7",
    "REAL": "1.25",
    "TEXT": "'Größe'",
    "DATETIME": "'2025-07-24T18:54:11.000123'",
    "TIMESTAMP": "'2025-07-24 18:54:11'",
    "DATE": "'2025-07-24'",
    "BOOLEAN": "1",
    "NUM": "'2025-07-24T18:54:11'",
}


@pytest.mark.skipif(not COLLECTOR.exists(), reason="the collector's columns are not here")
def test_every_table_of_the_collector_comes_back_the_same(server, folder):
    path = folder / "collector.db"
    with COLLECTOR.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with closing(sqlite3.connect(path, isolation_level=None)) as lite:
        for table, group in groupby(rows, key=lambda row: row["table"]):
            columns = list(group)
            lines = [
                f"{quote(each['column'])} {each['declared_type']}" + " NOT NULL" * (each["not_null"] == "1")
                for each in columns
            ]
            key = [quote(each["column"]) for each in columns if each["primary_key"] != "0"]
            lines += [f"PRIMARY KEY ({', '.join(key)})"] if key else []
            lite.execute(f"CREATE TABLE {quote(table)} ({', '.join(lines)})")
            given = [VALUES.get(each["declared_type"].upper(), "30.5") for each in columns]
            lite.execute(f"INSERT INTO {quote(table)} VALUES ({', '.join(given)})")
    assert len(content_of(path)) > 30
    assert content_of(returned(path, server)) == content_of(path)
