"""Blocks travel from a kernel as JSON and arrive as they were."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greynb import Report
from greynb.report.document import blocks
from greynb.report.document.codec import as_json, from_json


def travelled(*found: blocks.Block) -> list[blocks.Block]:
    return from_json(json.loads(json.dumps(as_json(found))))


@settings(max_examples=25)
@given(st.text())
def test_blocks_of_text_arrive_as_they_were(text: str) -> None:
    sent = [
        blocks.Heading(text, 3),
        blocks.Text(text),
        blocks.Note(text),
        blocks.Code(text, "sql"),
        blocks.Tiles((blocks.Tile(text, text, text),)),
        blocks.Chart(text, text, text),
        blocks.Picture(text.encode("utf-8", "replace"), text),
        blocks.Foreign(text, text),
    ]
    assert travelled(*sent) == sent


def test_a_whole_report_arrives_with_its_sources_and_types(report: Report) -> None:
    sent = report.document.blocks
    came = travelled(*sent)
    assert [type(block) for block in came] == [type(block) for block in sent]
    for before, after in zip(sent, came, strict=True):
        if isinstance(before, blocks.Table) and isinstance(after, blocks.Table):
            assert (after.columns, after.total, after.caption) == (
                before.columns,
                before.total,
                before.caption,
            )
            assert (after.spanners, after.sources) == (before.spanners, before.sources)
            pd.testing.assert_frame_equal(
                after.frame, before.frame, check_dtype=False, check_column_type=False
            )
        else:
            assert after == before


def test_types_arrive() -> None:
    frame = pd.DataFrame(
        {
            "whole": pd.array([1, None], "Int64"),
            "day": [dt.date(2025, 7, 1), None],
            "moment": pd.to_datetime(["2025-07-01 10:00", None]).tz_localize("Australia/Sydney"),
            "money": [Decimal("1.50"), None],
            "mixed": ["a", 1],
            "list": [[1, 2], None],
        }
    )
    (table,) = travelled(*Report("x").table(frame).document.blocks)
    assert isinstance(table, blocks.Table)
    row = table.frame.iloc[0]
    assert row["day"] == dt.date(2025, 7, 1) and row["money"] == Decimal("1.50") and row["mixed"] == "a"
    assert row["moment"] == frame["moment"][0] and row["whole"] == 1 and list(row["list"]) == [1, 2]


def test_something_else_is_an_error() -> None:
    with pytest.raises((KeyError, TypeError)):
        from_json([{"kind": "spell"}])


def test_no_value_of_a_mixed_column_loses_a_part_on_the_way() -> None:
    frame = pd.DataFrame(
        {"d": pd.Series([dt.date(2025, 1, 1), dt.datetime(2025, 1, 1, 10, 30)], dtype=object)}
    )
    (table,) = travelled(*Report("x").table(frame).document.blocks)
    assert isinstance(table, blocks.Table)
    assert [str(value) for value in table.frame["d"]] == ["2025-01-01", "2025-01-01 10:30:00"]


def test_half_characters_stop_no_table() -> None:
    (table,) = travelled(
        *Report("x").table(pd.DataFrame({"d": ["a\ud800", "b"]}, dtype=object)).document.blocks
    )
    assert isinstance(table, blocks.Table) and list(table.frame["d"]) == ["a\\ud800", "b"]


def test_columns_of_one_name_and_none_at_all_arrive() -> None:
    twice = pd.DataFrame([[1, 2]], columns=["a", "a"], index=[7])
    found = travelled(*Report("x").table(twice).table(twice.iloc[:, :0]).document.blocks)
    shapes = [each.frame.shape for each in found if isinstance(each, blocks.Table)]
    assert shapes == [(1, 2), (1, 0)]
