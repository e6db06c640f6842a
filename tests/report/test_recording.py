"""A record of a result says where it came from and what it was, and survives being written as JSON."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from greynb.report.recording import Source, derived, described, source_of


def result() -> pd.DataFrame:
    frame = pd.DataFrame({"venue": ["RICH", "TAR"], "share": [0.25, None]})
    frame.attrs["greynb"] = {
        "sql": "SELECT …",
        "parameters": {"d": {"date": "2025-07-01"}},
        "role": "analytics",
        "file": "/data/here/season.db",
        "snapshot": "gen-000007",
        "time": "2025-07-04T09:05:00+00:00",
        "rows": 2,
        "columns": '["venue", "share"]',
        "seconds": 0.25,
        "greynb": "0.1.0",
    }
    return frame


def test_a_record_holds_the_query_the_values_and_no_folder() -> None:
    source = source_of(result())
    assert source is not None
    assert (source.kind, source.sql, source.version) == ("query", "SELECT …", "gen-000007")
    assert source.values == [["RICH", 0.25], ["TAR", None]]
    assert source.file == "season.db" and "/data" not in json.dumps(source.as_dict())


def test_a_record_comes_back_from_json() -> None:
    source = described(result())
    assert Source.from_dict(json.loads(json.dumps(source.as_dict()))) == source


def test_large_results_are_kept_as_hashes_only() -> None:
    source = described(pd.DataFrame({"a": range(20_001)}))
    assert source.values is None and len(source.column_hashes) == 1
    assert described(pd.DataFrame({"a": range(20_000)})).values is not None


def test_a_frame_of_unknown_origin_has_no_source_but_can_be_described() -> None:
    assert source_of(pd.DataFrame({"a": [1]})) is None
    assert described(pd.DataFrame({"a": [1]})).kind == "unknown"


@pytest.mark.parametrize(
    ("changed", "is_derived"),
    [
        (lambda df: df, False),
        (lambda df: df.sort_values("share"), False),
        (lambda df: df[df["venue"] == "TAR"], True),
        (lambda df: df.assign(double=df["share"] * 2), True),
        (lambda df: df.rename(columns={"share": "part"}), True),
    ],
)
def test_rows_or_columns_that_the_query_did_not_give_make_a_frame_derived(changed, is_derived) -> None:
    frame = changed(result())
    assert derived(frame) == is_derived == described(frame).derived


@pytest.mark.parametrize(
    "changed",
    [
        {"format": 2},
        {"kind": "other"},
        {"rows": "2"},
        {"columns": "ab"},
        {"hash": None},
        {"unheard": 1},
        {"values": [["RICH", 0.25]]},
        {"values": [["RICH"], ["TAR"]]},
        {"values": [1, 2]},
    ],
)
def test_a_record_that_is_none_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="record"):
        Source.from_dict({**described(result()).as_dict(), **changed})
    with pytest.raises(ValueError, match="record"):
        Source.from_dict([])  # type: ignore[arg-type]
