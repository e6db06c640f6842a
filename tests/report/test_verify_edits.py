"""A file that was edited after it was made is told from one that was not."""

from __future__ import annotations

import re
import sqlite3
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import greynb
from greynb.report.verifying import verify_file

MIXED = """
SELECT race_id, venue, race_date, odds, odds > 40 AS long, count(*) OVER () AS n,
    CASE WHEN race_id = 'r1' THEN '=1+1' WHEN race_id = 'r2' THEN '' WHEN race_id = 'r3' THEN 'a "b", c' END
    AS note, race_date::TIMESTAMP + INTERVAL 90 MINUTE AS start, NULL AS nothing
FROM races ORDER BY odds
"""


@pytest.mark.parametrize("suffix", ["html", "parquet", "csv", "json", "md", "tex", "xlsx"])
def test_a_file_that_was_not_edited_is_found_to_be_so(query, tmp_path, suffix):
    greynb.export(query(MIXED), tmp_path / f"x.{suffix}")
    found = verify_file(tmp_path / f"x.{suffix}")
    assert found.holds and found.checked and not found.edited


def retyped(path: Path, before: str, after: str) -> None:
    text = path.read_bytes().decode()
    assert text.count(before) == 1
    path.write_bytes(text.replace(before, after).encode())


def exported(query, path: Path) -> Path:
    greynb.export(query("SELECT race_id, venue, odds FROM races WHERE odds BETWEEN 10 AND 11.3"), path)
    return path


def test_a_number_that_was_retyped_in_a_csv_file_is_named(query, tmp_path):
    path = exported(query, tmp_path / "x.csv")
    retyped(path, "10.2", "12.2")
    found = verify_file(path)
    assert found.differs and found.verdicts[0].state.name == "EXACT"
    assert "race_id=r13, odds: 10.2 was written, 12.2 is there now" in found.edited[0]


def test_a_row_that_was_taken_out_of_a_csv_file_is_found(query, tmp_path):
    path = exported(query, tmp_path / "x.csv")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    assert "some of its rows" in verify_file(path).edited[0]


@pytest.mark.parametrize("suffix", ["json", "md", "tex", "html"])
def test_a_retyped_number_is_found_in_any_text(query, tmp_path, suffix):
    path = exported(query, tmp_path / f"x.{suffix}")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("10.2", "12.2", 1), encoding="utf-8")
    found = verify_file(path)
    assert found.differs and found.edited


def test_a_changed_parquet_file_is_found_by_its_values(query, tmp_path):
    path = exported(query, tmp_path / "x.parquet")
    table = pq.read_table(path)
    changed = table.set_column(2, "odds", pa.array([value.as_py() + 1 for value in table["odds"]]))
    pq.write_table(changed.replace_schema_metadata(pq.read_metadata(path).metadata), path)
    found = verify_file(path)
    assert found.differs and "values were changed in the file" in found.edited[0]


def test_values_that_a_format_cannot_hold_are_not_taken_for_edits(query, tmp_path):
    frame = query("SELECT race_id, to_months(3) AS span, [1, 2] AS list, 'x'::BLOB AS raw FROM races LIMIT 1")
    for suffix in ("parquet", "csv", "json", "xlsx"):
        greynb.export(frame, tmp_path / f"x.{suffix}")
        assert verify_file(tmp_path / f"x.{suffix}").edited == ()


def test_a_cell_that_was_retyped_in_a_workbook_is_named(query, tmp_path):
    path = exported(query, tmp_path / "x.xlsx")
    book = openpyxl.load_workbook(path)
    book.save(path)
    assert verify_file(path).holds
    sheet = book["Data"]
    row = next(row for row in sheet.iter_rows() if row[0].value == "r13")
    row[2].value = 12.2
    book.save(path)
    found = verify_file(path)
    assert found.differs and "race_id=r13, odds" in found.edited[0]


def with_part(path: Path, part: str, content: bytes) -> None:
    """Put other bytes into one part of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {each: archive.read(each) for each in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, old in parts.items():
            archive.writestr(name, content if name == part else old)


def test_a_workbook_whose_sheet_is_no_xml_any_more_is_told_as_edited(query, tmp_path):
    path = exported(query, tmp_path / "x.xlsx")
    with_part(path, "xl/worksheets/sheet1.xml", b"<worksheet><sheetData>")
    found = verify_file(path)
    assert found.differs and found.edited == ("its rows cannot be read as they were written",)


def damaged(path: Path, part: str) -> None:
    """Put other bytes into the middle of what a workbook keeps of one part."""
    with zipfile.ZipFile(path) as archive:
        found = archive.getinfo(part)
    content = bytearray(path.read_bytes())
    at = found.header_offset + 30 + len(part) + found.compress_size // 2
    content[at : at + 20] = b"\xff" * 20
    path.write_bytes(content)


def test_a_workbook_with_damaged_rows_is_told_as_edited(query, tmp_path):
    path = exported(query, tmp_path / "x.xlsx")
    damaged(path, "xl/worksheets/sheet1.xml")
    assert verify_file(path).edited == ("its rows cannot be read as they were written",)


@pytest.mark.parametrize("part", ["xl/worksheets/sheet2.xml", "xl/sharedStrings.xml", "xl/workbook.xml"])
def test_a_workbook_with_a_damaged_record_is_refused(query, tmp_path, part):
    path = exported(query, tmp_path / "x.xlsx")
    damaged(path, part)
    with pytest.raises(greynb.UsageError, match="damaged"):
        verify_file(path)


def test_a_page_that_was_edited_is_found_by_its_seal(query, tmp_path):
    from greynb import Report

    report = Report("Venues")
    report.table(query("SELECT venue, count(*) AS races FROM races GROUP BY venue"))
    report.save(tmp_path / "r.html")
    assert verify_file(tmp_path / "r.html").checked == "the page is as it was made"
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    (tmp_path / "r.html").write_text(page.replace(">40<", ">41<", 1), encoding="utf-8")
    found = verify_file(tmp_path / "r.html")
    assert found.differs and found.edited == ("the page was edited after it was made",)
    assert found.verdicts[0].state.name == "EXACT" and "edited after it was made" in str(found)


def test_rows_of_many_types_come_back_from_each_format(query, tmp_path):
    frame = query(MIXED)
    frame["odds"] = frame["odds"].where(frame["odds"] > 5)
    frame["n"] = frame["n"].astype("Int64").where(frame["odds"] > 7)
    for suffix in ("csv", "json", "xlsx"):
        path = tmp_path / f"x.{suffix}"
        greynb.export(frame, path, force=True)
        if suffix != "xlsx":
            text = path.read_bytes().replace(b"\r\n", b"\n").replace(b"},\n", b"},\n\n")
            path.write_bytes(text)  # as an editor would save it
        assert verify_file(path).edited == (), suffix


def test_a_file_without_a_record_is_refused_with_what_to_do(query, tmp_path):
    for name, content in {
        "a.csv": b"a\n1\n",
        "a.html": b"<html></html>",
        "a.ipynb": b'{"cells": []}',
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(greynb.UsageError, match="carries no record") as caught:
            verify_file(tmp_path / name)
        assert "meta.json" in str(caught.value)
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(greynb.UsageError, match="carries no record"):
        verify_file(tmp_path / "a.parquet")
    sqlite3.connect(tmp_path / "a.xlsx").close()
    with pytest.raises(greynb.UsageError):
        verify_file(tmp_path / "a.xlsx")


def test_carriage_returns_in_sql_and_names_are_no_edit(query, tmp_path):
    frame = query('SELECT race_id,\r\n odds AS "the\r\nodds"\r\nFROM races')
    greynb.export(frame, tmp_path / "x.html")
    greynb.Report("R").table(frame).save(tmp_path / "r.html")
    for name in ("x.html", "r.html"):
        found = verify_file(tmp_path / name)
        assert found.holds and found.checked == "the page is as it was made"


def test_a_page_without_its_seal_was_edited(query, tmp_path):
    path = exported(query, tmp_path / "x.html")
    page = path.read_bytes().decode()
    path.write_bytes(re.sub(r"<meta name=.greynb-seal.*?\n", "", page).encode())
    found = verify_file(path)
    assert found.differs and "lost its seal" in found.edited[0]


def test_a_report_in_markdown_that_was_edited_is_found(query, tmp_path):
    greynb.Report("R").table(query("SELECT race_id, odds FROM races")).save(tmp_path / "r.md")
    assert verify_file(tmp_path / "r.md").checked
    retyped(tmp_path / "r.md", "10.2", "12.2")
    assert verify_file(tmp_path / "r.md").differs


def test_a_table_named_data_in_a_report_is_not_taken_for_an_export(query, tmp_path):
    greynb.Report("R").table(query("SELECT race_id, odds FROM races"), "Data").save(tmp_path / "r.xlsx")
    assert verify_file(tmp_path / "r.xlsx").holds


@pytest.mark.parametrize("suffix", ["xlsx", "pdf"])
def test_where_a_report_cannot_be_compared_with_its_record_that_is_said(query, tmp_path, suffix):
    path = tmp_path / f"r.{suffix}"
    greynb.Report("R").table(query("SELECT race_id, odds FROM races")).save(path)
    assert "was not compared with its record" in str(verify_file(path))
    greynb.export(query("SELECT race_id, odds FROM races"), tmp_path / "x.xlsx")
    assert "was not compared" not in str(verify_file(tmp_path / "x.xlsx"))
