"""Form guides: the collector's files are read whole, and the demo's look the same."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greynb.demo import read_form_guide, season, write_form_guides
from greynb.demo.form_guides import HEADER
from greynb.errors import LoadError

REAL = Path(__file__).parents[3] / "shared" / "data" / "form_guides"
REAL_FILES = sorted(REAL.glob("*.csv"))
RUN = "D,2,1,30.1,320,2025-06-01,RICH,5,18.50,18.40,18.20,2.31,1.5,Other Dog,4422,3.5"


def guide(tmp_path: Path, *lines: str, name: str = "Race 7 - MAND - 17 July 2025.csv") -> Path:
    path = tmp_path / name
    path.write_text("\n".join((HEADER, *lines)) + "\n", encoding="utf-8")
    return path


@pytest.mark.skipif(not REAL_FILES, reason="the collector's files are not beside the checkout")
def test_all_real_files_are_read_and_their_dirt_is_counted() -> None:
    guides = [read_form_guide(path) for path in REAL_FILES]
    runs = pd.concat([each.runs for each in guides])
    dirty = pd.concat([each.dirty for each in guides])
    assert (len(guides), len(runs)) == (150, 5686)
    assert runs.dog_name.notna().all()
    assert all(each.race_date for each in guides)
    counted = dirty.groupby(["column", "problem"]).size().to_dict()
    assert counted == {
        ("1 SEC", "blank"): 1701,
        ("W/2G", "blank"): 4,
        ("MGN", "outside 0 to 100"): 1,
    }


@pytest.mark.skipif(not REAL_FILES, reason="the collector's files are not beside the checkout")
def test_every_real_value_that_is_not_listed_as_dirty_is_kept() -> None:
    for path in REAL_FILES[:40]:
        read = read_form_guide(path)
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert [float(row["TIME"]) for row in rows] == read.runs.race_time.tolist()
        assert [int(row["PLC"]) for row in rows] == read.runs.position.tolist()
        filled = sum(row["1 SEC"] != "" for row in rows)
        assert read.runs.first_sectional.notna().sum() == filled


def test_written_guides_read_back_clean_but_for_what_real_ones_lack(tmp_path: Path) -> None:
    made = season(600)
    paths = write_form_guides(tmp_path / "guides", made, 12)
    assert len(paths) == 12
    dogs = set(made.tables["dogs"]["dog_name"])
    for path in paths:
        read = read_form_guide(path)
        assert set(read.runs.dog_name) <= dogs
        assert (read.runs.race_date < read.race_date).all()
        assert set(read.dirty.column) <= {"1 SEC", "W/2G"}
        assert (read.runs.groupby("dog_name").size() <= 5).all()


def test_written_guides_have_the_layout_of_the_collector(tmp_path: Path) -> None:
    path = write_form_guides(tmp_path, season(600), 1)[0]
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == HEADER
    assert {line.count(",") for line in lines} == {16}
    assert all(line.startswith('"",') or line.split(".")[0].isdigit() for line in lines[1:])


def test_name_and_number_are_carried_down(tmp_path: Path) -> None:
    read = read_form_guide(
        guide(tmp_path, f"1. Wow Dog,{RUN}", f'"",{RUN}', f"8. IT'S ME,{RUN}", f'"",{RUN}')
    )
    assert read.runs.number.tolist() == [1, 1, 8, 8]
    assert read.runs.dog_clean_name.tolist() == ["WOW DOG", "WOW DOG", "ITS ME", "ITS ME"]
    assert (read.venue, read.race_number, read.race_date) == ("MAND", 7, dt.date(2025, 7, 17))
    assert read.dirty.empty


@pytest.mark.parametrize(
    ("was", "becomes", "problem"),
    [
        ("18.50", "", "blank"),
        ("18.50", "NBT", "not a number"),
        ("18.50", "185", "outside 10 to 70"),
        ("18.50", "nan", "outside 10 to 70"),
        ("2025-06-01", "01/06/2025", "not a date"),
    ],
)
def test_a_value_that_cannot_be_right_becomes_null_and_is_listed(
    tmp_path: Path, was: str, becomes: str, problem: str
) -> None:
    read = read_form_guide(guide(tmp_path, f"1. A Dog,{RUN}", f'"",{RUN.replace(was, becomes)}'))
    column = "TIME" if was == "18.50" else "DATE"
    assert read.dirty[["line", "dog_name", "column", "value", "problem"]].to_numpy().tolist() == [
        [3, "A Dog", column, becomes, problem]
    ]
    assert read.runs[{"TIME": "race_time", "DATE": "race_date"}[column]].isna().tolist() == [False, True]


def test_the_cleaned_layout_and_an_unknown_file_name_are_read(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text(f"{HEADER},day_of_week\n1. A Dog,{RUN},Friday\n1. A Dog,{RUN},Friday\n", encoding="utf-8")
    read = read_form_guide(path)
    assert (len(read.runs), read.venue, read.race_date) == (2, None, None)
    assert "day_of_week" not in read.runs


def test_a_file_without_the_columns_is_no_form_guide(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(LoadError, match="no column Dog Name"):
        read_form_guide(path)


def test_text_that_is_not_utf8_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(HEADER.encode() + b"\n1. Caf\xe9," + RUN.encode() + b"\n")
    with pytest.raises(LoadError, match="not UTF-8"):
        read_form_guide(path)


@given(
    cells=st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters='\r\n",\x00'), max_size=12),
        max_size=20,
    )
)
def test_no_line_whatever_its_text_stops_the_reading(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str]
) -> None:
    path = guide(tmp_path_factory.mktemp("any"), f"1. A Dog,{RUN}", ",".join(cells))
    read = read_form_guide(path)
    assert read.runs.iloc[0].race_time == 18.5
    assert len(read.runs) in (1, 2)
