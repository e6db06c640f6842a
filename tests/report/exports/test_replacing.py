"""An existing file is replaced when it came from the same cell, or by force; never otherwise."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest

import greynb
from greynb.databases.provenance import provenance
from greynb.errors import UsageError
from greynb.report.exports import excel
from greynb.report.recording import Source
from tests.report.exports.rows import ALL, SQL, races, record_beside


def source_in(path: Path) -> Source:
    """Read the record of a file of any format, as `greynb verify` has to."""
    if path.suffix == ".parquet":
        return Source.from_dict(json.loads(pq.read_metadata(path).metadata[b"greynb"]))
    if path.suffix == ".xlsx":
        return Source.from_dict(excel.sources(path)[0])
    if path.suffix == ".html":
        opening = '<script type="application/json" class="greynb-source">'
        text = path.read_text(encoding="utf-8").partition(opening)[2].partition("</script>")[0]
        return Source.from_dict(json.loads(text))
    return Source.from_dict(record_beside(path)["sources"][0])


@pytest.mark.parametrize("suffix", ALL)
def test_every_file_says_where_its_rows_come_from_without_the_folder(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{suffix}"
    greynb.export(races(), path)
    source = source_in(path)
    assert source.sql == SQL and source.parameters == {"venue": "RICH"}
    assert (source.role, source.file, source.version) == ("analytics", "season.db", "gen-000042")
    assert source.rows == 2 and source.values == [["a1", 8], ["a2", 7]]
    for each in tmp_path.iterdir():
        assert b"secret folder" not in each.read_bytes()
    if suffix == "xlsx":
        with zipfile.ZipFile(path) as archive:
            assert not [name for name in archive.namelist() if b"secret folder" in archive.read(name)]


@pytest.mark.parametrize("suffix", ALL)
def test_the_same_cell_replaces_its_own_file_whatever_its_rows_are_now(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{suffix}"
    greynb.export(races(), path)
    first = path.read_bytes()
    again = races()
    again.attrs["greynb"]["parameters"] = {"venue": "TAR"}
    again.attrs["greynb"]["snapshot"] = "gen-000043"
    greynb.export(again.iloc[:1], path)
    assert path.read_bytes() != first and source_in(path).rows == 1


@pytest.mark.parametrize("suffix", ALL)
@pytest.mark.parametrize(
    "other",
    [
        races(sql="SELECT 1"),
        races(role="staging"),
        races(file="other.db"),
        pd.DataFrame({"race_id": ["a1"]}),
    ],
    ids=["query", "role", "database", "no query"],
)
def test_another_result_replaces_it_only_by_force(suffix: str, other: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / f"x.{suffix}"
    greynb.export(races(), path)
    before = path.read_bytes()
    with pytest.raises(UsageError, match=r"(?s)is there.*--force") as caught:
        greynb.export(other, path)
    assert caught.value.path == path and path.read_bytes() == before
    greynb.export(other, path, force=True)
    origin = other.attrs.get("greynb", {})
    assert source_in(path).sql == origin.get("sql", "") and source_in(path).role == origin.get("role", "")


def test_parameters_of_other_names_are_another_cell(tmp_path: Path) -> None:
    greynb.export(races(), tmp_path / "x.csv")
    other = races()
    other.attrs["greynb"]["parameters"] = {"place": "RICH"}
    with pytest.raises(UsageError, match="another query"):
        greynb.export(other, tmp_path / "x.csv")


@pytest.mark.parametrize("suffix", ALL)
@pytest.mark.parametrize("content", [b"", b"mine", b"PK\x03\x04", b"PAR1PAR1", b"\xff\xfe"])
def test_a_file_of_somebody_else_stays(suffix: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="another origin"):
        greynb.export(races(), tmp_path / "new.csv", path)
    assert path.read_bytes() == content and not (tmp_path / "new.csv").exists()


def test_a_record_of_somebody_else_beside_stays_too(tmp_path: Path) -> None:
    (tmp_path / "x.csv.meta.json").write_text('{"mine": 1}', encoding="utf-8")
    with pytest.raises(UsageError, match="another origin"):
        greynb.export(races(), tmp_path / "x.csv")
    assert (tmp_path / "x.csv.meta.json").read_text(encoding="utf-8") == '{"mine": 1}'


def test_a_workbook_that_was_saved_by_another_program_is_still_known(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    greynb.export(races(), path)
    book = openpyxl.load_workbook(path)
    book["Data"]["A1"].value = "changed"
    book.save(path)
    assert excel.sources(path)[0]["sql"] == SQL
    greynb.export(races(), path)


def test_two_frames_of_one_query_without_parameters_are_the_same_cell(tmp_path: Path) -> None:
    frame = pd.DataFrame({"n": [1]})
    frame.attrs["greynb"] = provenance(
        sql="SELECT 1 AS n", parameters={}, role="analytics", file="a.db", snapshot=None, rows=1, seconds=0
    )
    for _ in range(2):
        greynb.export(frame, tmp_path / "x.csv")


@pytest.mark.parametrize("suffix", ["html", "xlsx", "md"])
def test_a_report_that_shows_the_result_is_not_replaced_by_an_export_of_it(
    suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"x.{suffix}"
    greynb.Report("Precious").text("Hours of work.").table(races(), "Data").save(path)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="another origin"):
        greynb.export(races(), path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("suffix", ["csv", "json", "md", "tex", "html"])
def test_a_file_that_was_edited_since_is_not_replaced(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{suffix}"
    greynb.export(races(), path)
    edited = path.read_bytes().replace(b"a1", b"my own")
    path.write_bytes(edited)
    with pytest.raises(UsageError, match="edited"):
        greynb.export(races(), path)
    assert path.read_bytes() == edited


def test_a_workbook_to_which_a_sheet_was_added_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    greynb.export(races(), path)
    book = openpyxl.load_workbook(path)
    book.create_sheet("My notes")
    book.save(path)
    with pytest.raises(UsageError, match="edited"):
        greynb.export(races(), path)


def test_a_file_that_somebody_puts_there_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with pytest.raises(UsageError, match="another origin"):
        greynb.export(races(), path, progress=lambda _: path.write_text("mine", encoding="utf-8"))
    assert [each.name for each in tmp_path.iterdir()] == ["x.csv"] and path.read_text() == "mine"
