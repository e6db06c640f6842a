"""Tiles, tables and remarks show themselves in a notebook and in a terminal, and are blocks of a report."""

from __future__ import annotations

import datetime as dt

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from greynb.report import about, note, table, tiles
from greynb.report.document.codec import from_json
from tests.report.document.pages import Page


def test_a_table_has_a_caption_heads_and_dashes_for_missing_values() -> None:
    frame = pd.DataFrame({"name": ["a", None], "share": [0.256, float("nan")]})
    page = Page(table(frame, "Shares", formats={"share": "{:.1%}"}, labels={"share": "part"})._repr_html_())
    assert page.text("caption") == ["Shares"]
    assert page.text("th") == ["name", "part"]
    assert page.text("td") == ["a", "25.6%", "–", "–"]


def test_a_table_is_aligned_in_a_terminal() -> None:
    lines = repr(table(pd.DataFrame({"venue": ["MAND", "A"], "races": [12, 3]}))).splitlines()
    assert lines == ["venue  races", "MAND      12", "A          3"]


def test_an_empty_table_shows_its_headings() -> None:
    part = table(pd.DataFrame({"venue": []}))
    assert "venue" in part._repr_html_() and repr(part) == "venue"


def test_a_long_table_says_so() -> None:
    part = table(pd.DataFrame({"a": range(300)}))
    assert repr(part).endswith("The first 200 of 300 rows; all are in the Excel workbook.")


def test_tiles_show_label_value_and_remark() -> None:
    part = tiles([("Races", "12"), ("Won", "-3%", "± 1%")])
    page = Page(part._repr_html_())
    assert page.text("dt") == ["Races", "Won"] and page.text("dd") == ["12", "−3%", "± 1%"]
    assert repr(part) == "Races: 12\nWon: -3% (± 1%)"


def test_negative_numbers_have_a_true_minus_but_dates_and_names_do_not() -> None:
    assert "−7.2% on 2025-07-01 for A-1" in note("-7.2% on 2025-07-01 for A-1")._repr_html_()


def test_provenance_is_one_line_and_names_no_folder() -> None:
    frame = pd.DataFrame({"x": [1]})
    time = dt.datetime(2025, 7, 4, 9, 5).astimezone()
    facts = {
        "role": "analytics",
        "file": "/data/here/a.db",
        "snapshot": "gen-000007",
        "time": time.isoformat(),
    }
    frame.attrs["greynb"] = facts
    assert repr(about(frame)) == "analytics · a.db @ gen-000007 · 4 Jul 2025, 09:05"


def test_a_frame_without_provenance_gives_an_empty_line() -> None:
    assert repr(about(pd.DataFrame())) == ""


def test_a_part_is_a_block_of_a_report() -> None:
    for part in (note("so"), tiles([("a", "b")]), about(pd.DataFrame())):
        assert from_json(part._repr_greynb_blocks_()) == [part.block]


@given(st.text())
def test_text_cannot_become_markup(text: str) -> None:
    for part in (note(text), tiles([(text, text, text)]), table(pd.DataFrame({"a": [text]}), text)):
        page = Page(part._repr_html_())
        known = "div style p dl dt dd table caption thead tr th tbody td".split()
        assert {tag for tag, _ in page.elements} <= set(known)
