"""Arbitrary frames, read back by the readers that people use."""

from __future__ import annotations

import csv
import datetime as dt
import json
import math
import re
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

import greynb
from greynb.report.exports.formulas import neutralised, restored
from greynb.report.exports.objects import text_of
from greynb.report.exports.texts import TEXT

ENCODABLE = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
HOSTILE = st.text("=+-@'\t\r\n\x00 ,\"|<&_x041A1.5e", max_size=8)
TEXTS = ENCODABLE | HOSTILE
SPAN = dt.timedelta(days=10**8)  # about what 64 bits of microseconds hold
DATES = st.dates(dt.date(1, 1, 1))
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.text(max_size=3) | DATES
    | st.datetimes() | st.times() | st.timedeltas(-SPAN, SPAN) | st.binary(max_size=5) | st.uuids()
    | st.decimals(allow_nan=False, allow_infinity=False, places=3)
)  # fmt: skip
NESTED = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
NAMES = TEXTS | st.integers() | st.none() | st.tuples(TEXTS, TEXTS)
FEW = settings(max_examples=25)
"""Where each example is a handful of files, of up to 12 values instead of 6 to make up for it."""
ALL = ("csv", "parquet", "json", "md", "html", "xlsx", "tex")


@st.composite
def frames(draw: st.DrawFn, values: st.SearchStrategy[Any] = NESTED) -> pd.DataFrame:
    rows = draw(st.integers(0, 5))
    names = draw(st.lists(NAMES, min_size=1, max_size=4))
    columns = [draw(st.lists(values, min_size=rows, max_size=rows)) for _ in names]
    frame = pd.concat([pd.Series(column, dtype=object) for column in columns], axis=1)
    frame.columns = pd.Index(names, dtype=object, tupleize_cols=False)
    return frame


@FEW
@given(frames())
def test_any_frame_of_objects_is_written_in_every_format_with_all_its_rows(frame: pd.DataFrame) -> None:
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"x.{suffix}" for suffix in ALL]
        done = greynb.export(frame, *paths)
        assert done.rows == len(frame)
        with paths[0].open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        # A single NULL is an empty line, for which the reader gives an empty list.
        assert [len(row) or 1 for row in rows] == [len(frame.columns)] * (len(frame) + 1)
        assert pq.read_table(paths[1]).num_rows == len(frame)
        strict = json.loads(paths[2].read_text(encoding="utf-8"), parse_constant=_refuse)
        assert [len(record) for record in strict] == [len(frame.columns)] * len(frame)
        book = openpyxl.load_workbook(paths[5])
        assert book["Data"].auto_filter.ref.endswith(str(len(frame) + 1))


def _refuse(constant: str) -> None:
    raise AssertionError(constant)


@FEW
@given(st.lists(st.none() | TEXTS, min_size=1, max_size=12))
def test_texts_come_back_from_every_format_exactly(values: list[str | None]) -> None:
    frame = pd.DataFrame({"t": pd.Series(values, dtype=object)})
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"x.{suffix}" for suffix in ("csv", "parquet", "json", "xlsx")]
        greynb.export(frame, *paths)
        with paths[0].open(newline="", encoding="utf-8") as file:
            found = [row[0] if row else "" for row in csv.reader(file)][1:]
        assert restored(pa.array(found, TEXT)).to_pylist() == [value or "" for value in values]
        assert pq.read_table(paths[1])["t"].to_pylist() == values
        assert [each["t"] for each in json.loads(paths[2].read_text(encoding="utf-8"))] == values
        cells = [
            row[0]
            for row in openpyxl.load_workbook(paths[3])["Data"].iter_rows(2, len(values) + 1, max_col=1)
        ]
        assert [cell.data_type for cell in cells if cell.value is not None] != ["f"]
        assert [_unescaped(cell.value) for cell in cells] == values


def _unescaped(value: Any) -> str | None:
    """Undo Excel's escapes, which openpyxl leaves as they are."""
    return value and re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), value)


@given(st.lists(TEXTS, max_size=6))
def test_an_apostrophe_before_formulas_can_be_undone(values: list[str]) -> None:
    column = pa.array(values, TEXT)
    written, count = neutralised(column)
    assert restored(written).to_pylist() == values
    assert count == sum(before != after for before, after in zip(values, written.to_pylist(), strict=True))
    assert not [text for text in written.to_pylist() if text[:1] in tuple("=@\t\r\n")]


@FEW
@given(st.lists(st.none() | st.floats(), min_size=1, max_size=12))
def test_floats_come_back_to_the_last_bit(values: list[float | None]) -> None:
    frame = pd.DataFrame({"f": pd.Series(values, dtype="float64")})
    expected = [None if value is None or math.isnan(value) else value for value in values]
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"x.{suffix}" for suffix in ("csv", "parquet", "json", "xlsx")]
        greynb.export(frame, *paths)
        with paths[0].open(newline="", encoding="utf-8") as file:
            found = [row[0] if row else "" for row in csv.reader(file)][1:]
        assert [float(text) if text else None for text in found] == expected
        assert pq.read_table(paths[1])["f"].to_pylist() == expected
        records = json.loads(paths[2].read_text(encoding="utf-8"))
        assert [None if each["f"] is None else float(each["f"]) for each in records] == expected
        cells = openpyxl.load_workbook(paths[3])["Data"].iter_rows(
            2, len(values) + 1, max_col=1, values_only=True
        )
        assert [None if value is None else float(value) for (value,) in cells] == expected


@FEW
@given(st.lists(st.none() | st.integers(-(2**70), 2**70), min_size=1, max_size=12))
def test_whole_numbers_of_any_size_lose_no_digit(values: list[int | None]) -> None:
    frame = pd.DataFrame({"n": pd.Series(values, dtype=object)})
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"x.{suffix}" for suffix in ("csv", "parquet", "json", "xlsx")]
        greynb.export(frame, *paths)
        with paths[0].open(newline="", encoding="utf-8") as file:
            found = [row[0] if row else "" for row in csv.reader(file)][1:]
        assert [int(text) if text else None for text in found] == values
        kept = pq.read_table(paths[1])["n"].to_pylist()
        assert [None if each is None else int(each) for each in kept] == values
        assert [each["n"] for each in json.loads(paths[2].read_text(encoding="utf-8"))] == values
        cells = openpyxl.load_workbook(paths[3])["Data"].iter_rows(
            2, len(values) + 1, max_col=1, values_only=True
        )
        assert [None if value is None else int(value) for (value,) in cells] == values


@FEW
@given(st.lists(st.none() | st.datetimes() | DATES, min_size=1, max_size=12))
def test_dates_and_times_come_back_from_csv_and_json(values: list[dt.date | None]) -> None:
    frame = pd.DataFrame({"d": pd.Series(values, dtype=object)})
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"x.{suffix}" for suffix in ("csv", "json")]
        greynb.export(frame, *paths)
        with paths[0].open(newline="", encoding="utf-8") as file:
            found = [row[0] if row else "" for row in csv.reader(file)][1:]
        assert [dt.datetime.fromisoformat(text) if text else None for text in found] == [
            *map(_moment, values)
        ]
        records = [each["d"] for each in json.loads(paths[1].read_text(encoding="utf-8"))]
        assert [text and dt.datetime.fromisoformat(text) for text in records] == [*map(_moment, values)]


def _moment(value: dt.date | None) -> dt.datetime | None:
    if value is None or isinstance(value, dt.datetime):
        return value
    return dt.datetime(value.year, value.month, value.day)


@given(NESTED)
def test_every_value_has_a_text(value: Any) -> None:
    text_of(value).encode("utf-8")


def test_a_decimal_keeps_its_digits() -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        greynb.export(pd.DataFrame({"d": [Decimal("1.10"), Decimal("-0.001")]}), path)
        assert path.read_bytes() == b"d\r\n1.100\r\n-0.001\r\n"
