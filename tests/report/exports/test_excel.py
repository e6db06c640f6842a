"""Excel workbooks, read back by openpyxl and as the XML that Excel reads."""

from __future__ import annotations

import datetime as dt
import zipfile
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import greynb
from greynb.errors import UsageError
from greynb.report.exports import excel
from tests.report.exports.rows import cells, races, sheet

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1", "{=1}", "http://x.test", "mailto:a@b", "internal:A1"]


def test_columns_are_typed_and_formatted(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    frame = pd.DataFrame(
        {
            "n": pd.array([1, None], "Int64"),
            "p": [0.25, 1.5],
            "price": pd.Series([Decimal("1.50"), None], dtype=object),
            "won": [True, False],
            "date": pd.to_datetime(["2025-07-01", None]),
            "moment": pd.to_datetime(["2025-07-01 10:30:15", None]),
            "exact": pd.to_datetime(["2025-07-01 10:30:15.250", None]),
            "time": pd.Series([dt.time(10, 30), None], dtype=object),
            "span": pd.to_timedelta(["1 day 02:00:03", None]),
            "dog": ["Wow", ""],
        }
    )
    greynb.export(frame, path)
    moment = dt.datetime(2025, 7, 1, 10, 30, 15)
    assert cells(path)[1:] == [
        (
            *(1, 0.25, 1.5, True, dt.datetime(2025, 7, 1), moment, moment.replace(microsecond=250_000)),
            *(dt.time(10, 30), dt.timedelta(days=1, hours=2, seconds=3), "Wow"),
        ),
        (None, 1.5, None, False, None, None, None, None, None, ""),
    ]
    formats = [cell.number_format for cell in sheet(path)[2]]
    assert formats[:3] == ["0", "0.00", "0.00"] and formats[4:6] == ["yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"]


def test_the_header_stays_the_filter_covers_all_and_widths_fit(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    greynb.export(pd.DataFrame({"short": ["x"] * 3, "long": ["y" * 40] * 3, "vast": ["z" * 500] * 3}), path)
    data = sheet(path)
    assert data.freeze_panes == "A2" and data.auto_filter.ref == "A1:C4" and data["A1"].font.bold
    widths = [data.column_dimensions[letter].width for letter in "ABC"]
    assert 8 <= widths[0] < 12 < 40 < widths[1] < 45 and 60 <= widths[2] < 65


def test_no_text_becomes_a_formula_a_link_or_a_number(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    greynb.export(pd.DataFrame({"=HEAD()": [*FORMULAS, "007", "-5"]}), path)
    data = sheet(path)
    column = [cell for (cell,) in data.iter_rows()]
    assert [cell.value for cell in column] == ["=HEAD()", *FORMULAS, "007", "-5"]
    assert {cell.data_type for cell in column} <= {"s", "inlineStr"} and not data._hyperlinks
    # What Excel would take for a formula when the cell is edited keeps its quote then, too.
    quoted = {cell.value for cell in column if cell.quotePrefix}
    assert quoted == {"=HEAD()", *FORMULAS[:5]}
    with zipfile.ZipFile(path) as archive:
        assert not [name for name in archive.namelist() if b"<f>" in archive.read(name)]


def test_what_excel_has_no_number_for_is_text_and_said(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    frame = pd.DataFrame(
        {
            "id": [10**15, 1],
            "inf": [np.inf, 1.0],
            "born": pd.to_datetime(["1850-01-01", "2025-01-01"]),
            "gap": pd.to_timedelta(["-1s", "1s"]),
            "code": pd.Series([b"\x00\xff", b""], dtype=object),
        }
    )
    done = greynb.export(frame, path)
    assert cells(path)[1] == ("1000000000000000", "inf", "1850-01-01", "-P0DT0H0M1S", "00ff")
    assert cells(path)[2] == ("1", 1, dt.datetime(2025, 1, 1), dt.timedelta(seconds=1), "")
    assert {notice.partition(":")[0] for notice in done.notices} == {"id", "inf", "born", "gap"}
    assert "is text" in " ".join(done.notices) or "are text" in " ".join(done.notices)
    about = cells(path, "About")
    assert sum(row[0] == "note" for row in about) == 4


def test_time_zones_are_local_times_and_noted(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    moments = pd.to_datetime(["2025-01-01 12:00", "2025-07-01 12:00"]).tz_localize("UTC")
    frame = pd.DataFrame({"t": moments.tz_convert("Australia/Melbourne")})
    done = greynb.export(frame, path)
    assert [row[0].hour for row in cells(path)[1:]] == [23, 22]
    assert done.notices == ("t: times are local times of Australia/Melbourne; Excel has no time zones",)


def test_not_a_number_of_polars_is_no_empty_cell(tmp_path: Path) -> None:
    greynb.export(pl.DataFrame({"f": [float("nan"), None, 1.0]}), tmp_path / "x.xlsx")
    assert [row[0] for row in cells(tmp_path / "x.xlsx")] == ["f", "nan", None, 1]


def test_a_long_text_is_whole_in_a_sheet_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    long, emoji = "x" * 100_000, "🐕" * 20_000
    done = greynb.export(pd.DataFrame({"a": ["short", long], "b": ["y" * 32_767, emoji]}), path)
    data = cells(path)
    assert data[1] == ("short", "y" * 32_767)
    assert data[2][0].startswith("xxx") and "whole text of 100,000 characters" in data[2][0]
    pieces = cells(path, "Long texts")[1:]
    assert {row[:2] for row in pieces} == {("Data", "A3"), ("Data", "B3")}
    assert "".join(row[3] for row in pieces if row[1] == "A3") == long
    assert "".join(row[3] for row in pieces if row[1] == "B3") == emoji
    assert all(len(row[3].encode("utf-16-le")) <= 2 * 32_767 for row in pieces)
    assert "Long texts" in done.notices[0]


def test_more_rows_than_a_sheet_holds_go_to_further_sheets(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    with excel.workbook(path) as book:
        written = excel.write_sheet(book, "Data", pd.DataFrame({"n": range(25)}), rows=11)
    assert written.names == ("Data", "Data (2)", "Data (3)") and "25 rows" in written.notices[0]
    found = [[row[0] for row in cells(path, name)] for name in written.names]
    assert found == [["n", *range(10)], ["n", *range(10, 20)], ["n", *range(20, 25)]]


@pytest.mark.slow
def test_a_frame_of_more_rows_than_excel_has_is_split_at_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    done = greynb.export(pd.DataFrame({"n": range(1_048_577)}), path)
    assert "Data, Data (2)" in done.notices[0]
    book = openpyxl.load_workbook(path, read_only=True)
    assert book["Data"].max_row == 1_048_576 and book["Data (2)"].max_row == 3
    assert [row[0] for row in book["Data (2)"].iter_rows(values_only=True)] == ["n", 1_048_575, 1_048_576]


def test_too_many_columns_are_refused_with_another_way(tmp_path: Path) -> None:
    wide = pa.table({str(number): [0] for number in range(16_385)})
    with (
        pytest.raises(UsageError, match=r"(?s)16,385 columns.*\.parquet"),
        excel.workbook(tmp_path / "x.xlsx") as book,
    ):
        excel.write_sheet(book, "Data", wide)
    assert not (tmp_path / "x.xlsx").exists()


def test_a_name_that_no_cell_holds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot hold the column name"):
        greynb.export(pd.DataFrame({"n" * 32_768: [1]}), tmp_path / "x.xlsx")


def test_several_frames_and_sheets_of_ones_own_make_one_workbook(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    with excel.workbook(path) as book:
        book.xlsx.add_worksheet("Cover").write_string("B2", "A season")
        hostile = ("A/B:*?", "a b   ", "", "History")
        names = [excel.write_sheet(book, name, races()).names[0] for name in hostile]
        share = pd.DataFrame({"share": [0.5]})
        excel.write_sheet(book, "x" * 40, share, formats={"share": "0.0%"})
        excel.about_sheet(book, [{"sql": "SELECT " + "y" * 40_000}, {"sql": "b"}], notices=["mind"])
    loaded = openpyxl.load_workbook(path)
    assert loaded.sheetnames == ["Cover", *names, "x" * 31, "About"]
    assert loaded["Cover"]["B2"].value == "A season" and loaded["x" * 31]["A2"].number_format == "0.0%"
    assert [source["sql"][-1] for source in excel.sources(path)] == ["y", "b"]
    assert len(loaded[names[1]]["A"]) == 3


def test_the_file_is_what_the_format_says_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    greynb.export(pd.DataFrame({"a": range(40_000), "b": ["<&>\x01"] * 40_000}), path)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        root = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    assert root.find(f"{MAIN}dimension").get("ref") == "A1:B40001"  # type: ignore[union-attr]
    rows = root.findall(f"{MAIN}sheetData/{MAIN}row")
    assert [int(row.get("r", 0)) for row in rows] == list(range(1, 40_002))
    assert [cell.get("r") for cell in rows[-1]] == ["A40001", "B40001"]
    assert rows[-1][1].findtext(f"{MAIN}is/{MAIN}t") == "<&>_x0001_"


def test_a_file_that_is_no_workbook_has_no_sources(tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_bytes(b"no")
    with pytest.raises(ValueError, match="no Excel file"):
        excel.sources(tmp_path / "x.xlsx")


def test_progress_goes_on_from_sheet_to_sheet(tmp_path: Path) -> None:
    told: list[int] = []
    with excel.workbook(tmp_path / "x.xlsx", told.append) as book:
        for name in ("a", "b"):
            excel.write_sheet(book, name, pd.DataFrame({"n": range(20_000)}))
    assert told == sorted(told) and told[-1] == 40_000
