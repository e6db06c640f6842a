"""Random tables read through the catalog hold what sqlite3 says they hold."""

from __future__ import annotations

import csv
import math
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greynb.databases.columns import unique_names
from greynb.databases.identifiers import quote
from tests.databases.attached import attached

COLLECTOR = Path(__file__).parents[2].parent / "shared" / "data" / "collector_columns.csv"
DECLARED = [
    "", "INTEGER", "INT", "BIGINT", "TINYINT", "REAL", "DOUBLE PRECISION", "FLOAT", "NUM", "NUMERIC",
    "DECIMAL(10,2)", "BOOLEAN", "BOOL", "DATE", "date", "DATETIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE",
    "TIME", "TEXT", "VARCHAR(20)", "CLOB", "BLOB", "JSON", "ANY", "STRING", "FLOATING POINT", "POINT",
    "DATE(8)", "DATETIME TEXT", "Odd 'type' \"name\"", "UUID", "INTERVAL",
]  # fmt: skip


class BadText(bytes):
    """Bytes to store as text although they are not valid UTF-8."""


def _iso(moment: datetime) -> str:
    return moment.isoformat(" ")


INTEGERS = (
    st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3) | st.sampled_from([2**53, 2**53 + 1, -(2**53) - 1])
)
REALS = st.floats(allow_nan=False) | st.sampled_from([0.1, 1e22, 5e-324, 1.7976931348623157e308, math.inf])
DATES = st.dates().map(date.isoformat)
STAMPS = st.datetimes().map(_iso) | st.datetimes().map(datetime.isoformat)
NEARLY_DATES = st.sampled_from([
    "2025-02-30", "01/07/2025", "", "0000-01-01", "2025-7-1", "2025-07-01 24:00:00", "2025-07-01 23:59:60",
    "2025-07-01T10:00:00Z", "2025-07-01 10:00:00+10:00", "2025-07-01 10:00:00.1234567",
    "2025-07-01 10:00:00.",
    "2025-07-01 10:00", "2025-07-01 10:00:00 ", " 2025-07-01", "2025-07-01\0", "2025-07-01 10:00:00.12\0",
    "now", "2025-07-01 10:00:0", "20250701", "-001-01-01", "12:30", "2025-07-01x10:00:00", "2025-13-01 10:00",
    "2025-07-01 10:00:00.12a", "2025-07-01 1:00:00", "infinity", "epoch",
    "2025-02-30 10:00:00", "2025-02-30T10:00",
])  # fmt: skip
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["1", "1.5", "-0", "\\xFF"]
)
BLOBS = st.binary(max_size=8)
BAD = st.sampled_from([b"\xff", b"caf\xe9", b"a\0\xff", b"\xc0\x80", b"\xed\xa0\x80", b"ok \xe2\x82"]).map(
    BadText
)
FLAVOURS: list[st.SearchStrategy[Any]] = [
    INTEGERS, st.integers(0, 1), st.integers(20250101, 20251231), REALS, TEXTS, DATES, STAMPS, BLOBS,
    st.none(), DATES | STAMPS, DATES | NEARLY_DATES, STAMPS | NEARLY_DATES, INTEGERS | REALS,
    st.integers(-(2**53), 2**53) | REALS, TEXTS | BAD, INTEGERS | TEXTS, REALS | TEXTS | BLOBS,
    INTEGERS | REALS | TEXTS | BLOBS | BAD,
]  # fmt: skip
Table = tuple[list[str], list[list[Any]]]


def collector_types() -> list[str]:
    """List the declared types of the collector's own tables."""
    with COLLECTOR.open(newline="") as file:
        return sorted({row["declared_type"] for row in csv.DictReader(file)})


@st.composite
def tables(draw: st.DrawFn, declared: Sequence[str] = tuple(DECLARED)) -> Table:
    """Draw declared types and rows; each column has a flavour, so that pure columns are common."""
    types = draw(st.lists(st.sampled_from(declared), min_size=1, max_size=9))
    flavours = [st.none() | draw(st.sampled_from(FLAVOURS)) for _ in types]
    return types, [list(row) for row in draw(st.lists(st.tuples(*flavours), max_size=8))]


@contextmanager
def stored(types: Sequence[str], rows: Sequence[Sequence[Any]], *, encoding: str = "UTF-8") -> Iterator[Path]:
    """Store rows in a table ``t`` of columns c0, c1, …"""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.db"
        with closing(sqlite3.connect(path)) as con, con:
            con.execute(f"PRAGMA encoding = '{encoding}'")
            con.execute(f"CREATE TABLE t ({', '.join(f'c{n} {each}' for n, each in enumerate(types))})")
            for row in rows:
                marks = ", ".join("CAST(? AS TEXT)" if isinstance(v, BadText) else "?" for v in row)
                con.execute(
                    f"INSERT INTO t VALUES ({marks})", [bytes(v) if isinstance(v, bytes) else v for v in row]
                )
        yield path


def truth(path: Path, table: str = "t") -> list[list[Any]]:
    """Read a table with sqlite3; text that is not valid UTF-8 comes as `BadText`."""

    def decoded(raw: bytes) -> str | BadText:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return BadText(raw)

    with closing(sqlite3.connect(path)) as con:
        con.text_factory = decoded
        return [list(row) for row in con.execute(f"SELECT * FROM {quote(table)}")]


def as_type(value: Any, chosen: str) -> Any:
    """Say what a SQLite value must look like in a column of the type chosen."""
    if value is None:
        return None
    match chosen:
        case "BIGINT":
            assert type(value) is int
            return value
        case "BOOLEAN":
            assert value in (0, 1)
            return bool(value)
        case "DOUBLE":
            assert type(value) is float or abs(value) <= 2**53
            return float(value)
        case "DATE":
            return date.fromisoformat(value)
        case "TIMESTAMP":
            return datetime.fromisoformat(value)
        case "BLOB":
            assert type(value) is bytes
            return value
    assert chosen == "VARCHAR"
    return escaped(value) if isinstance(value, bytes) else value if isinstance(value, str) else shown(value)


def shown(number: int | float) -> str:
    """Spell a number as DuckDB does."""
    if isinstance(number, int):
        return str(number)
    return f"{number or 0.0!r}"


def escaped(raw: bytes) -> str:
    """Spell bytes as DuckDB does."""
    return "".join(chr(b) if 32 <= b < 127 and b not in b"\\'\"" else f"\\x{b:02X}" for b in raw)


def check(path: Path) -> None:
    """Compare everything that the catalog gives of table ``t`` with what sqlite3 says."""
    expected = truth(path)
    with attached(path) as (con, catalog):
        catalog.ensure(["T"])
        types = [str(kind[1]) for kind in con.execute("SELECT * FROM t").description]
        assert types == [report.type for report in catalog.columns("t")]
        got = con.execute("SELECT * FROM t").fetchall()
        wanted = [tuple(as_type(v, kind) for v, kind in zip(row, types, strict=True)) for row in expected]
        assert got == wanted
        for number, kind in enumerate(types):
            _check_column(con, f"c{number}", kind, [row[number] for row in wanted])


def _check_column(con: Any, name: str, kind: str, values: list[Any]) -> None:
    present = [value for value in values if value is not None]
    got = con.execute(f"SELECT count({name}), min({name}), max({name}) FROM t").fetchone()
    assert got == (len(present), min(present, default=None), max(present, default=None))
    ordered = [
        row[0] for row in con.execute(f"SELECT {name} FROM t WHERE {name} IS NOT NULL ORDER BY 1").fetchall()
    ]
    assert ordered == sorted(present)
    if kind == "BIGINT" and present:
        assert con.execute(f"SELECT sum({name}) FROM t").fetchone() == (sum(present),)
    if kind == "DOUBLE" and present and not math.isnan(sum(present)):
        assert con.execute(f"SELECT sum({name}) FROM t").fetchone()[0] == pytest.approx(
            sum(present), rel=1e-12
        )


relaxed = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@relaxed
@given(tables())
def test_any_table_reads_as_sqlite_stores_it(table: Table) -> None:
    with stored(*table) as path:
        check(path)


@settings(relaxed, max_examples=15)
@given(st.data())
def test_tables_of_the_collectors_declared_types_read_as_sqlite_stores_them(data: st.DataObject) -> None:
    if not COLLECTOR.exists():
        pytest.skip("the collector's columns are not at hand")
    with stored(*data.draw(tables(collector_types()))) as path:
        check(path)


@settings(relaxed, max_examples=15)
@given(tables(), st.sampled_from(["UTF-16le", "UTF-16be"]))
def test_a_file_in_utf_16_reads_as_sqlite_stores_it(table: Table, encoding: str) -> None:
    types, rows = table
    rows = [[None if isinstance(value, BadText) else value for value in row] for row in rows]
    with stored(types, rows, encoding=encoding) as path:
        check(path)


@settings(relaxed, max_examples=12)
@given(st.lists(REALS, min_size=1, max_size=200))
def test_every_real_survives_the_trip_as_text(reals: list[float]) -> None:
    with stored(["REAL", "INTEGER"], [[real, real] for real in reals] + [["x", None]]) as path:
        expected = truth(path)
        with attached(path) as (con, catalog):
            catalog.ensure(["t"])
            got = con.execute("SELECT c0, CAST(c1 AS DOUBLE) FROM t").fetchall()
    assert [float(row[0]) for row in got[:-1]] == [row[0] for row in expected[:-1]]
    assert [row[1] for row in got] == [row[1] for row in expected]


@settings(relaxed, max_examples=15)
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6), min_size=1
    )
)
def test_columns_of_any_name_are_readable(names: list[str]) -> None:
    distinct = list({name.translate({c: c + 32 for c in range(65, 91)}): name for name in names}.values())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.db"
        with closing(sqlite3.connect(path)) as con, con:
            con.execute(f"CREATE TABLE t ({', '.join(map(quote, distinct))})")
            con.execute(f"INSERT INTO t VALUES ({', '.join('?' for _ in distinct)})", range(len(distinct)))
        with attached(path) as (duck, catalog):
            catalog.ensure(["t"])
            for number, name in enumerate(unique_names(distinct)):
                assert duck.execute(f"SELECT {quote(name)} FROM t").fetchall() == [(number,)]
