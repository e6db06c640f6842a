"""Tiles, tables and remarks read well as HTML and as text, whatever is in them."""

from __future__ import annotations

import datetime as dt

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from greynb.report import about, note, table, tiles


def test_numbers_stand_right_and_missing_values_are_a_dash() -> None:
    frame = pd.DataFrame({"name": ["a", None], "share": [0.256, float("nan")]})
    html = table(frame, "Shares", formats={"share": "{:.1%}"}).html
    assert "<caption>Shares</caption>" in html
    assert '<td class="gn-num" style="text-align:right">25.6%</td>' in html
    assert html.count(">\u2013</td>") == 2


def test_headings_are_labelled_for_screen_readers() -> None:
    html = table(pd.DataFrame({"log_loss": [1]}), labels={"log_loss": "log loss"}).html
    assert '<th scope="col" class="gn-num" style="text-align:right">log loss</th>' in html


def test_a_table_is_aligned_in_a_terminal() -> None:
    lines = repr(table(pd.DataFrame({"venue": ["MAND", "A"], "races": [12, 3]}))).splitlines()
    assert lines == ["venue  races", "MAND   12   ", "A      3    "]


def test_an_empty_table_shows_its_headings() -> None:
    part = table(pd.DataFrame({"venue": []}))
    assert "venue" in part.html and repr(part) == "venue"


def test_negative_numbers_have_a_true_minus_but_dates_and_names_do_not() -> None:
    assert "\u22127.2% on 2025-07-01 for A-1" in note("-7.2% on 2025-07-01 for A-1").html


def test_tiles_show_label_value_and_remark() -> None:
    part = tiles([("Races", "12"), ("Won", "-3%", "± 1%")])
    assert "\u22123%" in part.html and "± 1%" in part.html
    assert repr(part) == "Races: 12\nWon: -3% (± 1%)"


def test_provenance_is_one_line_and_names_no_folder() -> None:
    frame = pd.DataFrame({"x": [1]})
    frame.attrs["greynb"] = {
        "file": "/data/here/a.db",
        "snapshot": "gen-000007",
        "time": dt.datetime(2025, 7, 4, 9, 5, tzinfo=dt.UTC).isoformat(),
    }
    assert repr(about(frame)) == "4 July 2025, 09:05 UTC · a.db · snapshot gen-000007"


def test_a_frame_without_provenance_gives_an_empty_line() -> None:
    assert repr(about(pd.DataFrame())) == ""


@given(st.text())
def test_text_cannot_become_markup(text: str) -> None:
    for part in (note(text), tiles([(text, text, text)]), table(pd.DataFrame({"a": [text]}), text)):
        inside = part.html.replace("&lt;", "").replace("&gt;", "")
        assert "<script" not in inside
    assert note("<script>").html == '<p class="gn-note">&lt;script&gt;</p>'
