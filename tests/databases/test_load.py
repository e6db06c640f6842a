"""Frames go into tables whole, counted, or not at all."""

from __future__ import annotations

import datetime as dt
import math
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greynb.databases.load import load_frame
from greynb.databases.sqlite import atomic, open_writable
from greynb.errors import DatabaseLocked, LoadError, QueryInterrupted

SCHEMA = """
CREATE TABLE venues (code TEXT PRIMARY KEY, name TEXT);
INSERT INTO venues VALUES ('SAN', 'Sandown'), ('MEA', 'The Meadows');
CREATE TABLE races (
    race_id TEXT PRIMARY KEY, venue TEXT NOT NULL REFERENCES venues(code), day DATE,
    distance INTEGER DEFAULT 515 CHECK (distance > 0), prize REAL, label AS (venue || ' ' || day)
);
CREATE TABLE dogs (id INTEGER PRIMARY KEY, name TEXT, trainer TEXT, UNIQUE (name, trainer));
CREATE TABLE pairs (a, b, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE TABLE loose (x, y);
CREATE VIEW all_races AS SELECT * FROM races;
"""


@pytest.fixture
def con(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    con: sqlite3.Connection = open_writable(tmp_path / "stage.db", timeout=0.1, create=True)
    con.executescript(SCHEMA)
    yield con
    con.close()


def rows(con: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    return con.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()


def races(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"race_id": ["r1", "r2"], "venue": ["SAN", "MEA"], **columns})


def test_rows_arrive_and_are_counted(con: sqlite3.Connection) -> None:
    result = load_frame(con, races(distance=[400, 600]), "races")
    assert (result.inserted, result.updated, result.ignored) == (2, 0, 0)
    assert (result.table, result.created) == ("races", False)
    assert rows(con, "races") == [("r1", "SAN", None, 400, None, None), ("r2", "MEA", None, 600, None, None)]
    assert not con.in_transaction


def test_names_are_matched_as_sqlite_does(con: sqlite3.Connection) -> None:
    frame = pd.DataFrame({"RACE_ID": ["r1"], "Venue": ["SAN"]})
    load_frame(con, frame, "Races", key="Race_Id", on_conflict="update")
    result = load_frame(con, frame, "RACES", key="race_ID", on_conflict="update")
    assert (result.table, result.updated) == ("races", 1)


def test_an_update_counts_inserted_and_updated_rows_and_keeps_other_columns(con: sqlite3.Connection) -> None:
    load_frame(con, races(distance=[400, 600], prize=[1.0, 2.0]), "races")
    frame = pd.DataFrame(
        {"race_id": ["r2", "r3", "r3"], "venue": ["SAN", "SAN", "MEA"], "distance": [601, 700, 701]}
    )
    result = load_frame(con, frame, "races", key="race_id", on_conflict="update")
    assert (result.inserted, result.updated, result.ignored) == (1, 2, 0)
    assert [row[:2] + row[3:5] for row in rows(con, "races")] == [
        ("r1", "SAN", 400, 1.0),
        ("r2", "SAN", 601, 2.0),
        ("r3", "MEA", 701, None),
    ]


def test_ignored_rows_leave_nothing_and_are_counted(con: sqlite3.Connection) -> None:
    load_frame(con, races(), "races")
    frame = pd.DataFrame({"race_id": ["r1", "r3", "r3"], "venue": ["MEA", "SAN", "MEA"]})
    result = load_frame(con, frame, "races", key=["race_id"], on_conflict="ignore")
    assert (result.inserted, result.updated, result.ignored) == (1, 0, 2)
    assert [row[:2] for row in rows(con, "races")] == [("r1", "SAN"), ("r2", "MEA"), ("r3", "SAN")]


def test_ignore_without_a_key_goes_by_every_unique_index(con: sqlite3.Connection) -> None:
    frame = pd.DataFrame({"id": [1, 1, 2], "name": ["Ace", "Bo", "Ace"], "trainer": ["x", "x", "x"]})
    result = load_frame(con, frame, "dogs", on_conflict="ignore")
    assert (result.inserted, result.ignored) == (1, 2)


def test_ignore_is_refused_where_nothing_is_unique_instead_of_adding_every_row_again(
    con: sqlite3.Connection,
) -> None:
    frame = pd.DataFrame({"x": [1], "y": [2]})
    load_frame(con, frame, "loose")
    with pytest.raises(LoadError, match="no row could be ignored: table loose has no unique index") as raised:
        load_frame(con, frame, "loose", on_conflict="ignore")
    assert raised.value.hint == "create one over the columns that identify a row"
    assert rows(con, "loose") == [(1, 2)]
    with pytest.raises(LoadError, match="no row could be ignored"):  # its only key numbers itself
        con.execute("CREATE TABLE numbered (id INTEGER PRIMARY KEY, x)")
        load_frame(con, frame[["x"]], "numbered", on_conflict="ignore")


@pytest.mark.parametrize("index", ["loose (x) WHERE x > 0", "loose (abs(x))"])
def test_ignore_goes_by_partial_indexes_and_by_those_over_expressions(
    con: sqlite3.Connection, index: str
) -> None:
    con.execute(f"CREATE UNIQUE INDEX odd ON {index}")
    frame = pd.DataFrame({"x": [1, 1], "y": [2, 3]})
    result = load_frame(con, frame, "loose", on_conflict="ignore")
    assert (result.inserted, result.ignored) == (1, 1)


def test_ignore_lets_no_other_violation_pass(con: sqlite3.Connection) -> None:
    with pytest.raises(LoadError, match="NOT NULL"):
        load_frame(con, races(venue=["SAN", None]), "races", on_conflict="ignore")


def test_a_key_of_all_columns_has_nothing_to_update(con: sqlite3.Connection) -> None:
    frame = pd.DataFrame({"a": [1, 1, 2], "b": [1, 1, 2]})
    result = load_frame(con, frame, "pairs", key=["b", "a"], on_conflict="update")
    assert (result.inserted, result.updated, result.ignored) == (2, 0, 1)


def test_rows_dropped_by_a_trigger_count_as_ignored(con: sqlite3.Connection) -> None:
    con.execute("CREATE TRIGGER no_odd BEFORE INSERT ON loose WHEN NEW.x % 2 BEGIN SELECT RAISE(IGNORE); END")
    con.execute("CREATE TRIGGER twice AFTER INSERT ON loose BEGIN INSERT INTO dogs (name) VALUES ('x'); END")
    result = load_frame(con, pd.DataFrame({"x": [1, 2, 4]}), "loose")
    assert (result.inserted, result.ignored) == (2, 1)


def test_sqlite_numbers_an_integer_key_that_is_not_given(con: sqlite3.Connection) -> None:
    assert load_frame(con, pd.DataFrame({"name": ["Ace", "Bo"]}), "dogs").inserted == 2
    assert [row[0] for row in rows(con, "dogs")] == [1, 2]


def test_an_empty_frame_is_checked_and_loads_nothing(con: sqlite3.Connection) -> None:
    assert load_frame(con, races().head(0), "races").inserted == 0
    with pytest.raises(LoadError, match="no column"):
        load_frame(con, races(speed=[1, 2]).head(0), "races")


@pytest.mark.parametrize(
    ("frame", "table", "arguments", "message"),
    [
        (races(distnace=[1, 2]), "races", {}, "no column distnace; did you mean distance"),
        (races(label=["a", "b"]), "races", {}, "label of table races is generated"),
        (pd.DataFrame({"race_id": ["r1"]}), "races", {}, "lacks venue: NOT NULL"),
        (pd.DataFrame({"a": [1]}), "pairs", {}, "lacks b: NOT NULL"),
        (races(), "race", {}, "no table race; did you mean races"),
        (races(), "all_races", {}, "is a view"),
        (races(), "races", {"key": "id", "on_conflict": "update"}, "key column id is not in the frame"),
        (races(), "races", {"on_conflict": "update"}, "needs a key"),
        (races(), "races", {"on_conflict": "replace"}, "'replace' is unknown"),
        (pd.DataFrame([[1, 2]], columns=["x", "X"]), "loose", {}, "column X twice"),
        (pd.DataFrame([[1, 2]]), "loose", {}, "0 is not text"),
        (pd.DataFrame(index=[1]), "loose", {}, "no columns"),
        (races(race_id=["r1", None]), "races", {"key": "race_id", "on_conflict": "update"}, r"iloc\[1\]"),
        ([1, 2], "loose", {}, "list is not a table"),
        (pl.Series([1]), "loose", {}, "Series is not a table"),
    ],
)
def test_a_frame_that_does_not_fit_is_refused_before_anything_is_written(
    con: sqlite3.Connection, frame: object, table: str, arguments: dict[str, Any], message: str
) -> None:
    before = con.total_changes
    with pytest.raises(LoadError, match=message):
        load_frame(con, frame, table, **arguments)
    assert con.total_changes == before


def test_a_key_without_a_unique_index_is_refused_with_the_statement_that_makes_one(
    con: sqlite3.Connection,
) -> None:
    con.execute("CREATE UNIQUE INDEX partial ON loose (x) WHERE y")
    con.execute("CREATE UNIQUE INDEX expression ON loose (x, lower(y))")
    frame = pd.DataFrame({"x": [1], "y": [2]})
    with pytest.raises(LoadError) as caught:
        load_frame(con, frame, "loose", key="x", on_conflict="update")
    statement = str(caught.value).split("run: ")[1]
    assert statement == 'CREATE UNIQUE INDEX "ux_loose_x" ON "loose" ("x")'
    con.execute(statement)
    assert load_frame(con, frame, "loose", key="x", on_conflict="update").inserted == 1
    assert load_frame(con, frame, "loose", key="x", on_conflict="update").updated == 1


@pytest.mark.parametrize(
    ("columns", "row", "shown"),
    [
        ({"race_id": ["r1", "r1"]}, 1, "race_id = 'r1'"),
        ({"venue": ["SAN", None]}, 1, "venue = NULL"),
        ({"venue": ["SAN", "XXX"]}, 1, "venue = 'XXX'"),
        ({"distance": [0, 1]}, 0, "distance = 0"),
        ({"prize": [1, 2**63]}, 1, "prize = 9223372036854775808"),
        ({"prize": [{"first": 1}, 2]}, 0, "prize = {'first': 1}"),
        ({"prize": [2, [1]]}, 1, "prize = [1]"),
        ({"prize": ["fine", "\ud800"]}, 1, r"prize = '\ud800'"),
    ],
)
def test_the_row_that_fails_is_named_and_nothing_is_kept(
    con: sqlite3.Connection, columns: dict[str, list[object]], row: int, shown: str
) -> None:
    many = pd.DataFrame({"race_id": [f"x{i}" for i in range(30_000)], "venue": "SAN"})
    bad = races(**{name: pd.Series(values, dtype=object) for name, values in columns.items()})
    with pytest.raises(LoadError) as caught:
        load_frame(con, pd.concat([many.astype(object), bad], ignore_index=True), "races")
    assert f"iloc[{30_000 + row}]" in str(caught.value)
    assert shown in str(caught.value)
    assert rows(con, "races") == []
    assert not con.in_transaction


@pytest.mark.parametrize("clause", ["", "ON CONFLICT ABORT", "ON CONFLICT FAIL", "ON CONFLICT ROLLBACK"])
@pytest.mark.parametrize("row", [0, 1, 49, 50, 73, 199, 200, 201])
def test_the_first_of_many_rows_that_does_not_fit_is_named_whatever_the_table_does_on_conflict(
    con: sqlite3.Connection, clause: str, row: int
) -> None:
    con.execute(f"CREATE TABLE numbers (n INTEGER, CHECK (n <> -1), UNIQUE (n) {clause})")
    con.execute("INSERT INTO numbers VALUES (-2)")
    values = list(range(202))
    values[row] = -2
    with pytest.raises(LoadError, match=f"row {row} of the frame"):
        load_frame(con, pd.DataFrame({"n": values}), "numbers")
    assert rows(con, "numbers") == [(-2,)]


@given(st.integers(0, 130), st.data())
@settings(max_examples=40, deadline=None)
def test_a_row_may_refer_to_rows_of_its_table_before_it_and_to_none_after_it(
    size: int, data: st.DataObject
) -> None:
    parents = [data.draw(st.none() | st.integers(0, max(0, n - 1))) for n in range(size)]
    later = data.draw(st.booleans()) and size > 1
    if later:
        parents[size - 2] = size - 1
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as con:
        con.execute("PRAGMA foreign_keys = ON")
        con.execute("CREATE TABLE dog (id INTEGER PRIMARY KEY, dam INTEGER REFERENCES dog)")
        frame = pd.DataFrame({"id": range(size), "dam": pd.array(parents, "Int64")})
        if later:
            with pytest.raises(LoadError, match=f"row {size - 2} of the frame.*FOREIGN KEY"):
                load_frame(con, frame, "dog")
        else:
            load_frame(con, frame, "dog")
        assert len(rows(con, "dog")) == (0 if later else size)


def test_a_deferred_foreign_key_fails_the_load_as_a_whole(con: sqlite3.Connection) -> None:
    con.execute("CREATE TABLE late (v TEXT REFERENCES venues DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(LoadError, match="FOREIGN KEY"):
        load_frame(con, pd.DataFrame({"v": ["SAN", "XXX"]}), "late")
    assert rows(con, "late") == []
    assert not con.in_transaction


def test_a_load_inside_a_transaction_leaves_the_rest_of_it_alone(con: sqlite3.Connection) -> None:
    with atomic(con):
        con.execute("INSERT INTO loose (x) VALUES ('kept')")
        with pytest.raises(LoadError):
            load_frame(con, races(race_id=["r1", "r1"]), "races")
        load_frame(con, pd.DataFrame({"x": ["loaded"]}), "loose")
        assert con.in_transaction
    assert [row[0] for row in rows(con, "loose")] == ["kept", "loaded"]
    assert rows(con, "races") == []


class Box(IntEnum):
    RED = 1


MELBOURNE = dt.timezone(dt.timedelta(hours=10))


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (None, None),
        (float("nan"), None),
        (pd.NA, None),
        (pd.NaT, None),
        (True, 1),
        (np.bool_(False), 0),
        (np.int64(5), 5),
        (np.uint8(5), 5),
        (np.float32(0.5), 0.5),
        (np.str_("x"), "x"),
        (Box.RED, 1),
        (-(2**63), -(2**63)),
        (2**63 - 1, 2**63 - 1),
        (math.inf, math.inf),
        (Decimal("0.1"), 0.1),
        (Decimal("7"), 7),
        (Decimal("NaN"), None),
        (Decimal("123456789012345678.25"), "123456789012345678.25"),
        (b"\0\xff", b"\0\xff"),
        (bytearray(b"a"), b"a"),
        (dt.date(2025, 7, 1), "2025-07-01"),
        (dt.time(19, 5), "19:05:00"),
        (dt.datetime(2025, 7, 1, 19, 5), "2025-07-01 19:05:00"),
        (dt.datetime(2025, 7, 1, 19, 5, 0, 5), "2025-07-01 19:05:00.000005"),
        (dt.datetime(2025, 7, 1, tzinfo=MELBOURNE), "2025-07-01 00:00:00+10:00"),
        (np.datetime64("2025-07-01T19:05"), "2025-07-01 19:05:00"),
        (pd.Timestamp("2025-07-01 00:00:00.000000001"), "2025-07-01 00:00:00.000000001"),
        (dt.timedelta(seconds=29, milliseconds=350), 29.35),
        (np.timedelta64(1500, "ms"), 1.5),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    ],
)
def test_a_value_is_stored_as_sqlite_can_hold_it(
    con: sqlite3.Connection, value: object, stored: object
) -> None:
    load_frame(con, pd.DataFrame({"x": pd.Series([value], dtype=object)}), "loose")
    kept = con.execute("SELECT x FROM loose").fetchone()[0]
    assert (type(kept), kept) == (type(stored), stored)


@pytest.mark.parametrize(
    ("series", "stored"),
    [
        (pd.Series([1, None], dtype="Int64"), [1, None]),
        (pd.Series([2**60 + 1, None], dtype="int64[pyarrow]"), [2**60 + 1, None]),
        (pd.Series([True, None], dtype="boolean"), [1, None]),
        (pd.Series([1.5, None]), [1.5, None]),
        (pd.Series(["a", None]), ["a", None]),
        (pd.Series([3, None], dtype="category"), [3, None]),
        (pd.Series(["2025-07-01", None], dtype="datetime64[ns]"), ["2025-07-01 00:00:00", None]),
        (
            pd.Series(pd.to_datetime(["2025-01-01 10:00", "2025-07-01"], format="mixed")).dt.tz_localize(
                "Australia/Melbourne"
            ),
            ["2025-01-01 10:00:00+11:00", "2025-07-01 00:00:00+10:00"],
        ),
        (pd.Series(pd.to_timedelta(["1.5s", None])), [1.5, None]),
        (pd.Series([2**63 - 1], dtype="uint64"), [2**63 - 1]),
    ],
)
def test_a_typed_column_is_stored_without_loss(
    con: sqlite3.Connection, series: pd.Series[Any], stored: list[object]
) -> None:
    load_frame(con, pd.DataFrame({"x": series}), "loose")
    assert [row[0] for row in con.execute("SELECT x FROM loose ORDER BY rowid")] == stored


Unit = Literal["s", "ms", "us", "ns"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_have_fractions_only_where_there_are_any(con: sqlite3.Connection, unit: Unit) -> None:
    moments = pd.Series(pd.to_datetime(["2025-07-01 19:05", "2025-07-01 19:05:00.25"], format="mixed"))
    load_frame(con, pd.DataFrame({"x": moments.dt.as_unit(unit)}), "loose")
    second = "2025-07-01 19:05:00" if unit == "s" else "2025-07-01 19:05:00.250000"
    assert [row[0] for row in rows(con, "loose")] == ["2025-07-01 19:05:00", second]


def test_a_midnight_in_a_date_column_is_a_date(con: sqlite3.Connection) -> None:
    load_frame(con, races(day=pd.to_datetime(["2025-07-01", "2025-07-02 10:00"], format="mixed")), "races")
    load_frame(
        con,
        pd.DataFrame(
            {"race_id": ["r3", "r4"], "venue": "SAN", "day": [dt.datetime(2025, 7, 3), "2025-07-04 00:00:00"]}
        ).astype({"day": object}),
        "races",
    )
    assert [row[2] for row in rows(con, "races")] == [
        "2025-07-01",
        "2025-07-02 10:00:00",
        "2025-07-03",
        "2025-07-04 00:00:00",  # text is the user's own
    ]


def test_polars_and_arrow_tables_load_without_loss(con: sqlite3.Connection) -> None:
    frame = pl.DataFrame({"x": [1, None, 2**60 + 1], "y": [dt.datetime(2025, 7, 1, 19), None, None]})
    expected = [(1, "2025-07-01 19:00:00"), (None, None), (2**60 + 1, None)]
    batches: list[object] = [frame, frame.to_arrow(), frame.to_arrow().to_batches()[0]]
    for table in batches:
        con.execute("DELETE FROM loose")
        load_frame(con, table, "loose")
        assert con.execute("SELECT * FROM loose ORDER BY rowid").fetchall() == expected
    load_frame(con, pa.table({"x": pa.array(["view"], pa.string_view())}), "loose")


def test_a_table_is_created_only_when_asked_with_types_and_key(con: sqlite3.Connection) -> None:
    frame = pd.DataFrame(
        {
            "id": [1, 2],
            'odd "name"': ["a", None],
            "odds": [2.5, None],
            "won": [True, False],
            "day": pd.to_datetime(["2025-07-01", "2025-07-02"]),
            "off": pd.to_datetime(["2025-07-01 19:05", "2025-07-01 19:25"]),
            "mixed": pd.Series([1, "x"], dtype=object),
        }
    )
    with pytest.raises(LoadError, match="no table starters"):
        load_frame(con, frame, "starters")
    assert load_frame(con, frame, "starters", key="id", create=True).created
    sql = con.execute("SELECT sql FROM sqlite_master WHERE name = 'starters'").fetchone()[0]
    assert sql == (
        'CREATE TABLE "starters" ("id" INTEGER NOT NULL, "odd ""name""" TEXT, "odds" REAL, "won" BOOLEAN, '
        '"day" DATE, "off" TIMESTAMP, "mixed", PRIMARY KEY ("id"))'
    )
    assert rows(con, "starters")[0] == (1, "a", 2.5, 1, "2025-07-01", "2025-07-01 19:05:00", 1)
    again = load_frame(con, frame, "starters", key="id", on_conflict="update", create=True)
    assert (again.created, again.updated) == (False, 2)


def test_a_table_is_not_left_behind_by_a_load_that_fails(con: sqlite3.Connection) -> None:
    with pytest.raises(LoadError, match="UNIQUE"):
        load_frame(con, pd.DataFrame({"id": [1, 1]}), "starters", key="id", create=True)
    assert con.execute("SELECT count(*) FROM sqlite_master WHERE name = 'starters'").fetchone() == (0,)


def test_progress_ends_at_all_rows_and_may_stop_the_load(con: sqlite3.Connection) -> None:
    seen: list[tuple[int, int]] = []
    frame = pd.DataFrame({"x": range(60_000)})
    load_frame(con, frame, "loose", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (60_000, 60_000)
    assert seen == sorted(seen)
    assert len(seen) > 2

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_frame(con, frame, "loose", progress=stop)
    assert con.execute("SELECT count(*) FROM loose").fetchone() == (60_000,)
    assert not con.in_transaction


@pytest.mark.parametrize("attempt", range(5))
def test_an_interrupt_stops_the_load_and_keeps_nothing(con: sqlite3.Connection, attempt: int) -> None:
    frame = pd.DataFrame({"x": range(3_000_000)})
    started = threading.Event()
    interrupted_at: list[float] = []

    def interrupt() -> None:
        started.wait()
        time.sleep(0.01 * attempt)
        interrupted_at.append(time.perf_counter())
        con.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(QueryInterrupted):
        load_frame(con, frame, "loose", progress=lambda done, total: started.set())
    assert time.perf_counter() - interrupted_at[0] < 0.5
    thread.join()
    assert not con.in_transaction
    assert load_frame(con, frame.head(5), "loose").inserted == 5
    assert len(rows(con, "loose")) == 5


def test_a_locked_file_is_an_error_that_says_so(con: sqlite3.Connection, tmp_path: Path) -> None:
    other: sqlite3.Connection = open_writable(tmp_path / "stage.db")
    with atomic(other), pytest.raises(DatabaseLocked):
        load_frame(con, races(), "races")
    other.close()
    assert load_frame(con, races(), "races").inserted == 2


def test_a_half_read_cursor_does_not_stop_a_load(con: sqlite3.Connection) -> None:
    cursor = con.execute("SELECT * FROM venues")
    cursor.fetchone()
    for _ in range(2):
        load_frame(con, races(), "races", key="race_id", on_conflict="update")
    assert cursor.fetchone() is not None


keys = st.integers(0, 6)
stored = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.text(st.characters(exclude_categories=["Cs"]))
)
batches = st.lists(st.tuples(keys, stored), max_size=12)
OUTCOME = {"ignore": "ignored", "update": "updated", "error": "refused"}


@settings(max_examples=150, deadline=None)
@given(batches, batches, st.sampled_from(["ignore", "update", "error"]))
def test_a_load_does_what_a_dictionary_does(
    before: list[tuple[int, object]], frame_rows: list[tuple[int, object]], on_conflict: Any
) -> None:
    con = sqlite3.connect(":memory:")
    con.execute("CREATE TABLE t (v, k INTEGER NOT NULL)")
    con.execute("CREATE UNIQUE INDEX ux ON t (k)")
    model = dict(before)
    con.executemany("INSERT INTO t (k, v) VALUES (?, ?)", model.items())
    con.commit()
    start, counts = dict(model), {"inserted": 0, "updated": 0, "ignored": 0}
    for key, value in frame_rows:
        what = OUTCOME[on_conflict] if key in model else "inserted"
        counts[what] = counts.get(what, 0) + 1
        if what != "ignored":
            model[key] = value
    frame = pd.DataFrame({"k": [key for key, _ in frame_rows]}).assign(
        v=pd.Series([value for _, value in frame_rows], dtype=object)
    )
    if "refused" in counts:
        with pytest.raises(LoadError):
            load_frame(con, frame, "t", key="k", on_conflict=on_conflict)
        model = start
    else:
        result = load_frame(con, frame, "t", key="k", on_conflict=on_conflict)
        assert {name: getattr(result, name) for name in counts} == counts
    assert dict(con.execute("SELECT k, v FROM t").fetchall()) == model
    con.close()
