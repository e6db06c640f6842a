"""A workbook has a summary to read, the rows of every table with their types, and the records."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from greynb import Report
from greynb.report.document.document import Document
from greynb.report.document.writing import save
from greynb.report.exports.excel import sources
from greynb.report.recording import Source, source_of


@pytest.fixture
def path(document: Document, tmp_path: Path) -> Path:
    (made,) = save(document, tmp_path / "report.xlsx")
    return made


def texts(sheet: openpyxl.worksheet.worksheet.Worksheet) -> list[str]:
    return [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None]


def test_the_summary_reads_from_top_to_bottom(path: Path) -> None:
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Summary", "All venues", "Numbers", "About"]
    found = texts(book["Summary"])
    wanted = [
        "Dogs & odds <July>",
        "month 2025-07",
        "Races",
        "1,204",
        "• one",
        "A part",
        "Venues",
        "By month",
    ]
    places = [found.index(each) for each in wanted]
    assert places[0] == 0 and found.index("−7.2%") > 0
    assert places == sorted(places)


def test_tables_are_reached_from_the_summary(path: Path) -> None:
    sheet = openpyxl.load_workbook(path)["Summary"]
    links = [cell.hyperlink.location for row in sheet.iter_rows() for cell in row if cell.hyperlink]
    assert links == ["'All venues'!A1", "Numbers!A1"] or links == ["'All venues'!A1", "'Numbers'!A1"]


def test_tables_hold_every_row_with_its_type(path: Path) -> None:
    book = openpyxl.load_workbook(path)
    venues = list(book["All venues"].iter_rows(values_only=True))
    assert venues[0] == ("venue", "races", "runners (dogs)", "latest race")
    assert venues[1][:3] == ("RICH", 2, 7.5)
    assert isinstance(venues[1][3], dt.datetime)
    assert book["All venues"]["C2"].number_format == "0.0"
    assert book["Numbers"].max_row == 1001


def test_colour_scales_are_rules_of_excel(path: Path) -> None:
    sheet = openpyxl.load_workbook(path)["All venues"]
    (rules,) = list(sheet.conditional_formatting)
    assert str(rules.sqref) == "B2:B3"
    assert rules.rules[0].type == "colorScale"


def test_charts_are_pictures_with_a_text(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        drawing = archive.read("xl/drawings/drawing1.xml").decode()
        pictures = [name for name in archive.namelist() if name.startswith("xl/media/")]
        assert archive.read(pictures[0]).startswith(b"\x89PNG")
    assert 'descr="Winners picked by month, between 28 and 31 %"' in drawing


def test_the_records_can_be_read_back(path: Path, venues: pd.DataFrame, numbers: pd.DataFrame) -> None:
    assert [Source.from_dict(each) for each in sources(path)] == [source_of(venues), source_of(numbers)]


def test_nothing_that_looks_like_a_formula_is_one(tmp_path: Path) -> None:
    report = Report("=1+1", "@x").tiles([("=2+2", "=3+3", "+4")]).note("=A1").text("=cmd()")
    report.table(pd.DataFrame({"=a": ["=1+1"]}), "=caption").save(tmp_path / "x.xlsx")
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert book.worksheets[1]["A2"].value == "=1+1"


def test_columns_of_one_name_and_an_empty_report_are_no_trouble(tmp_path: Path) -> None:
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    Report("Twice").table(frame).save(tmp_path / "x.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "x.xlsx").worksheets[1]
    assert [cell.value for cell in sheet[1]] == ["a", "a (2)"]
    Report("Nothing").save(tmp_path / "y.xlsx")
    assert openpyxl.load_workbook(tmp_path / "y.xlsx").sheetnames == ["Summary", "About"]


def test_percentages_and_signs_are_formatted_by_excel(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [0.5], "b": [-0.25], "c": [1234.5], "d": [7]})
    formats = {"a": "{:.1%}", "b": "{:+.1%}", "c": "{:,.2f}", "d": "{:,}"}
    Report("Formats").table(frame, formats=formats).save(tmp_path / "x.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "x.xlsx").worksheets[1]
    assert [cell.number_format for cell in sheet[2]] == ["0.0%", "+0.0%;-0.0%;0.0%", "#,##0.00", "#,##0"]


def test_the_same_document_gives_the_same_bytes(document: Document, tmp_path: Path) -> None:
    one, two = save(document, tmp_path / "one.xlsx"), save(document, tmp_path / "two.xlsx")
    assert one[0].read_bytes() == two[0].read_bytes()


def test_a_filtered_table_has_its_own_columns_alone_and_its_colours_on_them(tmp_path: Path) -> None:
    frame = pd.DataFrame({"venue": list("abcd"), "share": [0.1, 0.5, 0.3, 0.7]})
    frame = frame[frame["share"] != 0.3]
    Report("R").table(frame, "T", scale={"share": "sequential"}).save(tmp_path / "r.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "r.xlsx")["T"]
    assert [[cell.value for cell in row] for row in sheet][:2] == [["venue", "share"], ["a", 0.1]]
    assert [str(each.sqref) for each in sheet.conditional_formatting] == ["B2:B4"]


def test_a_caption_may_have_an_apostrophe_where_the_name_of_a_sheet_ends(tmp_path: Path) -> None:
    Report("R").table(pd.DataFrame({"a": [1]}), "a" * 30 + "'bcd").save(tmp_path / "r.xlsx")
    assert "a" * 30 in openpyxl.load_workbook(tmp_path / "r.xlsx").sheetnames


def test_a_format_without_decimals_rounds_no_number_away(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1.5, 2.25], "n": [1, 2]})
    Report("R").table(frame, "T", formats={"x": "{:,}", "n": "{:,}"}).save(tmp_path / "r.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "r.xlsx")["T"]
    assert [cell.number_format for cell in sheet[2]] == ["0.00", "#,##0"]


def test_a_text_of_any_length_is_whole(tmp_path: Path) -> None:
    code = "".join(f"line {number} \U0001f600\n" for number in range(4_000))
    Report("R").code(code).heading("After").save(tmp_path / "r.xlsx")
    cells = [str(row[0]) for row in openpyxl.load_workbook(tmp_path / "r.xlsx")["Summary"].values if row[0]]
    assert code in "".join(cells) and max(len(text.encode("utf-16-le")) // 2 for text in cells) < 32_767
    assert "After" in cells
