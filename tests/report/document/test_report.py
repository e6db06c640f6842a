"""A report is built line by line, and says at once what is wrong with a line."""

from __future__ import annotations

import datetime as dt
import re
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import greynb
from greynb import Report, UsageError
from greynb.report.document import prose
from greynb.report.document.blocks import Chart, Heading, Note, Table, Tiles
from greynb.report.document.formatting import texts


def only(report: Report) -> object:
    (block,) = report.document.blocks
    return block


def test_every_method_gives_the_report_back() -> None:
    report = Report("x")
    assert report.heading("a").text("b").note("c").tiles([("d", "e")]).code("f") is report
    assert [type(block).__name__ for block in report.document.blocks] == [
        *("Heading", "Text", "Note", "Tiles", "Code")
    ]


def test_a_document_does_not_change_with_its_report_or_its_frames() -> None:
    frame = pd.DataFrame({"a": [1]})
    report = Report("x").table(frame)
    document = report.document
    frame.loc[0, "a"] = 2
    report.note("later")
    (table,) = document.blocks
    assert isinstance(table, Table)
    assert table.frame["a"].tolist() == [1] and table.columns[0].texts == ("1",)


def test_headings_never_skip_a_level() -> None:
    report = Report("x").heading("a", 4).heading("b", 4).heading("c", 1).text("###### d")
    levels = [block.level for block in report.document.blocks if isinstance(block, Heading)]
    assert levels == [2, 3, 2, 3]


def test_a_result_brings_its_query_along_and_is_named_once(venues: pd.DataFrame) -> None:
    report = Report("x").table(venues).table(venues.head(1)).tiles([("a", "b")], source=[venues, venues])
    document = report.document
    assert list(document.numbers.values()) == [1]
    assert [source.derived for source in document.sources] == [False, True]


def test_a_frame_that_comes_from_nowhere_needs_no_source() -> None:
    assert Report("x").table(pd.DataFrame({"a": [1]})).document.sources == ()


def test_a_chart_without_a_text_is_refused(figure: object) -> None:
    with pytest.raises(UsageError, match="cannot see it"):
        Report("x").chart(figure)
    with pytest.raises(UsageError, match="dict cannot be drawn"):
        Report("x").chart({}, alt="a")
    with pytest.raises(UsageError, match="not well-formed"):
        Report("x").chart("<svg><g></svg>", alt="a")


def test_a_chart_may_bring_its_own_text_caption_and_source(venues: pd.DataFrame) -> None:
    class Drawn:
        svg, alt, caption, source = "<?xml version='1.0'?><svg/>", "what it shows", "a caption", venues

    block = only(Report("x").chart(Drawn()))
    assert isinstance(block, Chart)
    assert (block.svg, block.alt, block.caption, len(block.sources)) == (
        "<svg/>",
        "what it shows",
        "a caption",
        1,
    )


def test_a_column_that_is_not_there_is_named_with_the_nearest() -> None:
    frame = pd.DataFrame({"races": [1], "won": [1]})
    for wish in ({"formats": {"race": "{}"}}, {"labels": {"race": ""}}, {"units": {"race": "s"}}):
        with pytest.raises(UsageError, match="no column 'race'") as caught:
            Report("x").table(frame, **wish)
        assert "did you mean 'races'?" in str(caught.value)


def test_an_unknown_colour_scale_names_those_there_are() -> None:
    with pytest.raises(UsageError, match="diverging"):
        Report("x").table(pd.DataFrame({"a": [1]}), scale={"a": "rainbow"})


def test_a_spanner_needs_columns_side_by_side() -> None:
    frame = pd.DataFrame({"a": [1], "b": [1], "c": [1]})
    block = only(Report("x").table(frame, spanners={"both": ["c", "b"]}))
    assert isinstance(block, Table) and block.spanners == (("both", 1, 2),)
    with pytest.raises(UsageError, match="side by side"):
        Report("x").table(frame, spanners={"both": ["a", "c"]})


@pytest.mark.parametrize(
    ("values", "format_", "written"),
    [
        ([1234567, 2], None, ("1,234,567", "2")),
        ([0.12345, 0.5], None, ("0.1235", "0.5000")),
        ([1234.56, 7.0], None, ("1,235", "7")),
        ([3.0, 4.0], None, ("3", "4")),
        ([-0.072, np.nan], "{:+.1%}", ("−7.2%", "–")),
        ([np.int64(5), None], None, ("5", "–")),
        ([Decimal("1.50"), pd.NA], None, ("1.50", "–")),
        ([True, False], None, ("yes", "no")),
        ([dt.date(2025, 7, 1)], None, ("2025-07-01",)),
        ([pd.Timestamp("2025-07-01"), pd.NaT], None, ("2025-07-01", "–")),
        ([pd.Timestamp("2025-07-01 10:30")], None, ("2025-07-01 10:30",)),
        ([pd.Timestamp("2025-07-01")], "{:%B %Y}", ("July 2025",)),
        ([0.5], lambda value: f"{value}!", ("0.5!",)),
        ([float("inf")], None, ("inf",)),
        ([[1, 2], {"a": 1}], None, ("[1, 2]", "{'a': 1}")),
    ],
)
def test_values_are_written_as_a_reader_wants_them(
    values: list[object], format_: object, written: object
) -> None:
    assert texts(values, format_, True) == written  # type: ignore[arg-type]


def test_the_minus_of_a_number_is_a_minus_but_dates_and_names_keep_their_hyphen() -> None:
    assert texts(["A-1 on 2025-07-01"], None, False) == ("A-1 on 2025-07-01",)


def test_numbers_stand_right_also_in_columns_of_objects() -> None:
    frame = pd.DataFrame({"a": [Decimal(1), None], "b": ["x", "y"], "c": [True, False]}, dtype=object)
    block = only(Report("x").table(frame))
    assert isinstance(block, Table)
    assert [column.number for column in block.columns] == [True, False, False]


def test_tables_without_rows_or_columns_and_with_odd_names_are_shown() -> None:
    for frame in (
        pd.DataFrame(),
        pd.DataFrame({"a": []}),
        pd.DataFrame({1: [1], ("x", "y"): [2], None: [3], "": [4]}),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
    ):
        report = Report("x").table(frame)
        assert "<h1>x</h1>" in report._repr_html_()


def test_it_is_a_public_name_and_says_what_it_is() -> None:
    assert greynb.Report is Report
    assert repr(Report("x").note("a")) == "Report('x', 1 blocks)"


def test_tiles_and_notes_keep_their_texts() -> None:
    report = Report("x").tiles([("Races", "12"), ("Won", "-3%", "± 1%")]).note("so")
    tiles, note = report.document.blocks
    assert isinstance(tiles, Tiles) and [tile.remark for tile in tiles.tiles] == ["", "± 1%"]
    assert note == Note("so")


def test_a_number_in_a_tile_is_written_as_in_a_table() -> None:
    block = only(
        Report("x").tiles([("a", 3000), ("b", np.int64(1)), ("c", 0.3125, "d"), ("e", -2.5), ("f", None)])
    )
    assert isinstance(block, Tiles)
    assert [tile.value for tile in block.tiles] == ["3,000", "1", "0.3125", "\u22122.500", "\u2013"]


@pytest.mark.parametrize("metrics", [["Races"], [("Races",)], [("a", "b", "c", "d")]])
def test_a_tile_without_label_or_value_is_refused_at_once(metrics: list[object]) -> None:
    report = Report("x")
    with pytest.raises(UsageError, match="a tile is a label, a value"):
        report.tiles(metrics)  # type: ignore[arg-type]
    assert not report.document.blocks


@pytest.mark.parametrize(
    ("format_", "said"),
    [
        ("{:.1q}", "column 'a': the format '{:.1q}' does not fit 1.5"),
        ("{:d}", "does not fit"),
        ("%.1f", "no place"),
    ],
)
def test_a_format_that_does_not_fit_is_named_with_its_column(format_: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)) as caught:
        Report("x").table(pd.DataFrame({"a": [1.5]}), formats={"a": format_})
    assert caught.value.hint and "{:.1%}" in caught.value.hint


@pytest.mark.parametrize("other", ["season", 3, {"a": [1]}])
def test_what_is_no_frame_is_refused_as_table_and_as_source(other: object) -> None:
    for add in (
        lambda: Report("x").table(other),  # type: ignore[arg-type]
        lambda: Report("x").table(other, source=[]),  # type: ignore[arg-type]
        lambda: Report("x").tiles([("a", "b")], source=other),  # type: ignore[arg-type]
    ):
        with pytest.raises(UsageError, match="is not a DataFrame"):
            add()


def test_a_colour_scale_over_words_and_a_table_of_no_rows_are_refused() -> None:
    frame = pd.DataFrame({"venue": ["BEN"], "empty": [None]})
    with pytest.raises(UsageError, match="column 'venue' has no numbers"):
        Report("x").table(frame, scale={"venue": "sequential"})
    with pytest.raises(UsageError, match="rows is a whole number from 1, not -1"):
        Report("x").table(frame, rows=-1)
    Report("x").table(frame, scale={"empty": "sequential"})


def test_what_is_no_text_is_refused_where_it_is_given() -> None:
    for add in (
        lambda: Report(3),  # type: ignore[arg-type]
        lambda: Report("x").heading(3),  # type: ignore[arg-type]
        lambda: Report("x").text(None),  # type: ignore[arg-type]
        lambda: Report("x").note(3),  # type: ignore[arg-type]
    ):
        with pytest.raises(UsageError, match=r"is a text, not (int|NoneType)"):
            add()
    with pytest.raises(UsageError, match="2, 3 or 4, not 'a'"):
        Report("x").heading("y", level="a")  # type: ignore[arg-type]


def test_without_the_extra_a_report_with_text_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prose._html_parser.cache_clear()
    monkeypatch.setitem(sys.modules, "mistune", None)
    with pytest.raises(UsageError, match="Markdown cannot be read here") as caught:
        Report("x").text("*a*").save(tmp_path / "x.html")
    assert caught.value.hint == 'pip install "greynb[report]"' and not list(tmp_path.iterdir())


def test_axes_stand_for_their_figure() -> None:
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    axes.plot([1, 2])
    block = only(Report("x").chart(axes, alt="rising"))
    assert isinstance(block, Chart) and block.svg.startswith("<svg")
