"""Results kept in a folder: exact, private, limited, whole whatever happens to the files."""

from __future__ import annotations

import datetime as dt
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greynb.databases.frames import Fetched
from greynb.databases.result import Ran, Result
from greynb.databases.resultcache import ResultCache
from tests.databases.kept import entries, written

KEY = "0" * 48


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "made" / "results"


def fetched(sql: str, key: str | None = KEY, **bound: object) -> Fetched:
    found = Fetched.last(duckdb.connect().execute(sql, bound or None))
    found.key = key
    return found


def keep(cache: ResultCache, found: Fetched) -> list[Ran]:
    ran = cache.keep([Ran(Result(1, 1, "", None, found.types, None, 0.25), found)])
    written()
    return ran


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True, check_freq=False, check_index_type="exact")
    assert [str(dtype) for dtype in one.dtypes] == [str(dtype) for dtype in other.dtypes]
    for name in one:
        for a, b in zip(one[name].tolist(), other[name].tolist(), strict=True):
            assert type(a) is type(b) and repr(a) == repr(b)


VALUES = """
    1::TINYINT; 1; 9223372036854775807; 18446744073709551615::UBIGINT; sum(1) OVER (); 1::UNION(n INTEGER);
    340282366920938463463374607431768211455::UHUGEINT; 12345678901234567.89::DECIMAL(38,2); 1.25;
    1.5::FLOAT; 'nan'::DOUBLE; '-0.0'::DOUBLE; 'inf'::DOUBLE; true; NULL; TIME '10:00:01.5';
    DATE '2025-07-01'; DATE '0001-01-01'; DATE 'infinity'; INTERVAL 3 DAY; INTERVAL '1 month 2 days';
    TIMESTAMP '2025-07-01 10:00:00.123456'; TIMESTAMP_S '2025-07-01 10:00'; TIMESTAMP_MS '2025-07-01 10:00';
    TIMESTAMP_NS '2025-07-01 10:00:00.123456789'; TIMESTAMPTZ '2025-07-01 10:00:00+02';
    'x'; ''; 'b'::ENUM('a', 'b'); '\\x00\\xFF'::BLOB; '101'::BIT; '{"a": 1}'::JSON;
    '00000000-0000-0000-0000-000000000001'::UUID; [1, NULL]; [1.5::DECIMAL(38,2)]; ['x'::ENUM('x')];
    {'a': 1, 'd': DATE '2025-01-01'}; MAP {1: ['x']}; [1::HUGEINT]; array_value(1, 2)
""".replace("\n", " ").split(";")


@pytest.mark.parametrize("rows", ["", " UNION ALL SELECT NULL", " LIMIT 0"])
@pytest.mark.parametrize("beside", ["", ", 'text' AS t, 7 AS n"])
@pytest.mark.parametrize("value", [each.strip() for each in VALUES])
def test_each_type_comes_back_exactly(folder: Path, value: str, beside: str, rows: str) -> None:
    other = rows.replace("SELECT NULL", "SELECT NULL" + (", NULL, NULL" if beside else ""))
    found = fetched(f"SELECT {value} AS v{beside}{other}")
    cache = ResultCache(folder, 10**8)
    keep(cache, found)
    again = cache.find(KEY)
    assert again is not None and again.types == found.types
    same(again.frame(), found.frame())


COLUMNS: list[tuple[str, Any]] = [
    ("BIGINT", st.integers(-(2**63), 2**63 - 1)),
    ("UBIGINT", st.integers(0, 2**64 - 1)),
    ("HUGEINT", st.integers(-(2**127), 2**127 - 1)),
    ("DOUBLE", st.floats()),
    ("VARCHAR", st.text(st.characters(codec="utf-8", exclude_characters="\0"))),
    ("BLOB", st.binary()),
    ("BOOLEAN", st.booleans()),
    ("DECIMAL(38,4)", st.decimals(-(10**30), 10**30, places=4)),
    ("DATE", st.dates()),
    ("TIMESTAMP", st.datetimes()),
    ("TIME", st.times()),
    ("INTERVAL", st.timedeltas(dt.timedelta(-(10**6)), dt.timedelta(10**6))),
    ("BIGINT[]", st.lists(st.none() | st.integers(-(2**63), 2**63 - 1))),
    ("ENUM('a', 'b', 'c')", st.sampled_from("abc")),
]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_frame_comes_back_exactly(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    columns = data.draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=4))
    count = data.draw(st.integers(1, 5))
    names = data.draw(st.lists(st.text("abcé \"'", min_size=1), min_size=len(columns), max_size=len(columns)))
    bound, selects = {}, []
    for row in range(count):
        shown = []
        for number, (kind, strategy) in enumerate(columns):
            bound[f"v{row}_{number}"] = data.draw(st.none() | strategy)
            name = names[number].replace('"', '""')
            shown.append(f'$v{row}_{number}::{kind} AS "{name}"')
        selects.append("SELECT " + ", ".join(shown))
    found = fetched(" UNION ALL ".join(selects), **bound)
    cache = ResultCache(tmp_path_factory.mktemp("results"), 10**8)
    keep(cache, found)
    again = cache.find(KEY)
    assert again is not None
    same(again.frame(), found.frame())


@pytest.mark.parametrize("sql", ["SELECT TIMETZ '10:00:00+02' AS v", "SELECT 1::BIGNUM AS v"])
def test_what_arrow_cannot_hold_exactly_is_not_kept(folder: Path, sql: str) -> None:
    keep(ResultCache(folder, 10**8), fetched(sql))
    assert not entries(folder)


@pytest.mark.parametrize("text", ["", ", 'x' AS s"])
def test_changing_a_frame_changes_neither_what_is_kept_nor_the_next_frame(folder: Path, text: str) -> None:
    found = fetched(f"SELECT i, i * 0.5::DOUBLE AS f, i > 1 AS b{text} FROM range(4) r(i)")
    cache = ResultCache(folder, 10**8)
    expected = found.frame().copy(deep=True)
    cache.keep([Ran(Result(1, 1, "", None, found.types, None, 0.25), found)])
    spoil(found.frame())
    written()
    for _ in range(2):
        again = cache.find(KEY)
        assert again is not None
        frame = again.frame()
        same(frame, expected)
        spoil(frame)


def spoil(frame: pd.DataFrame) -> None:
    frame.loc[:, "i"] = -1
    frame.loc[0, "f"] = -1.0
    frame.loc[1:, "b"] = False
    del frame["b"]


def test_a_result_without_a_key_is_not_kept(folder: Path) -> None:
    keep(ResultCache(folder, 10**8), fetched("SELECT 1", key=None))
    assert not entries(folder)


def test_the_folder_and_its_files_are_the_users_alone(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o755)
    keep(ResultCache(folder, 10**8), fetched("SELECT 1"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in entries(folder)] == [0o600]


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)


def foreign(path: Path) -> None:
    path.write_text("something else")


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def of_another_key(path: Path) -> None:
    keep(ResultCache(path.parent, 10**8), fetched("SELECT 2", key="1" * 48))
    (path.parent / f"{'1' * 48}{path.suffix}").replace(path)


@pytest.mark.parametrize("damage", [truncated, flipped, foreign, emptied, of_another_key])
def test_a_damaged_or_foreign_file_counts_as_none_and_is_removed(
    folder: Path, damage: Callable[[Path], None]
) -> None:
    cache = ResultCache(folder, 10**8)
    keep(cache, fetched("SELECT i FROM range(100) r(i)"))
    (path,) = entries(folder)
    damage(path)
    assert cache.find(KEY) is None and not entries(folder)


def test_what_was_not_used_for_longest_goes_when_the_limit_is_reached(folder: Path) -> None:
    one = fetched("SELECT hash(i) AS h FROM range(1000) r(i)")
    keep(ResultCache(folder, 10**8), one)
    size = entries(folder)[0].stat().st_size
    cache = ResultCache(folder, 10 * size + size // 2)
    for number in range(1, 10):
        one.key = str(number) * 48
        keep(cache, one)
    assert len(entries(folder)) == 10 and cache.find(KEY) is not None
    one.key = "a" * 48
    keep(cache, one)
    kept = {path.stem[0] for path in entries(folder)}
    assert len(kept) == 10 and "0" in kept and "a" in kept and "1" not in kept


def test_a_result_that_would_take_much_of_the_limit_is_not_kept(folder: Path) -> None:
    keep(ResultCache(folder, 80_000), fetched("SELECT i FROM range(2000) r(i)"))
    assert not entries(folder)


def test_files_of_others_in_the_folder_stay(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine" * 1000)
    keep(ResultCache(folder, 1000), fetched("SELECT 1"))
    assert (folder / "notes.txt").exists()


def test_what_a_dead_writer_left_aside_is_swept(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in ("old.aside", "new.aside"):
        (folder / name).write_bytes(b"half")
    os.utime(folder / "old.aside", (1, 1))
    keep(ResultCache(folder, 10**8), fetched("SELECT 1"))
    assert [path.name for path in entries(folder)] == [f"{KEY}.result", "new.aside"]


def test_a_folder_that_cannot_be_written_is_told_with_the_next_result(folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("a file in its place")
    cache = ResultCache(folder, 10**8)
    (first,) = keep(cache, fetched("SELECT 1"))
    assert not first.result.notices and cache.find(KEY) is None
    (second,) = keep(cache, fetched("SELECT 1", key=None))
    assert "could not be kept" in second.result.notices[0] and str(folder) in second.result.notices[0]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give a file away")
def test_a_folder_or_a_file_of_another_user_is_left_alone(folder: Path) -> None:
    cache = ResultCache(folder, 10**8)
    keep(cache, fetched("SELECT 1"))
    (path,) = entries(folder)
    os.chown(path, 12345, -1)
    assert cache.find(KEY) is None and path.exists()
    os.chown(folder, 12345, -1)
    keep(cache, fetched("SELECT 1", key="1" * 48))
    (told,) = keep(cache, fetched("SELECT 1", key=None))
    assert "belongs to another user" in told.result.notices[0] and entries(folder) == [path]


MANY = """
import sys
from pathlib import Path
from tests.databases.test_resultcache import fetched, keep
from greynb.databases.resultcache import ResultCache
cache = ResultCache(Path(sys.argv[1]), 200_000)
for number in range(40):
    key = f"{number % 30:048d}"
    keep(cache, fetched(f"SELECT hash(i) AS h, {number % 30} AS n FROM range(1000) r(i)", key=key))
    for other in range(30):
        found = cache.find(f"{other:048d}")
        assert found is None or found.frame()["n"].tolist() == [other] * 1000
"""


def test_processes_that_share_the_folder_see_whole_results_and_stay_within_the_limit(folder: Path) -> None:
    command = [sys.executable, "-c", MANY, str(folder)]
    running = [subprocess.Popen(command, cwd=Path(__file__).parents[2]) for _ in range(3)]
    assert [each.wait() for each in running] == [0, 0, 0]
    assert 0 < sum(path.stat().st_size for path in entries(folder)) <= 200_000
