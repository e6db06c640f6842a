"""What CSV, Parquet, JSON, Markdown, HTML and LaTeX do with each kind of value."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import mistune
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import greynb
from greynb.report.seal import seal_holds
from tests.report.exports.rows import csv_rows, json_records, races, record_beside

MELBOURNE = "Australia/Melbourne"
VALUES = pd.DataFrame(
    {
        "whole": pd.array([2**53 + 1, None], "Int64"),
        "float": [1.0, np.inf],
        "flag": pd.array([True, None], "boolean"),
        "price": pd.Series([Decimal("1.50"), None], dtype=object),
        "date": pd.to_datetime(["2025-07-01", None]),
        "moment": pd.to_datetime(["2025-07-01 10:30:00.5", None]),
        "zoned": pd.to_datetime(["2025-07-01 10:30", None]).tz_localize(MELBOURNE),
        "time": pd.Series([dt.time(10, 30), None], dtype=object),
        "span": pd.to_timedelta(["1 day 02:00:03", None]),
        "month": pd.PeriodIndex(["2025-07", None], freq="M"),
        "bin": pd.cut(pd.Series([1.0, np.nan]), [0, 2]),
        "category": pd.Categorical(["a", None]),
        "bytes": pd.Series([b"\x00\xff", None], dtype=object),
        "list": pd.Series([[1, None], None], dtype=object),
        "dict": pd.Series([{"a": 1}, None], dtype=object),
        "array": pd.Series([np.array([1.5]), None], dtype=object),
        "mixed": pd.Series([1, "x"], dtype=object),
    }
)
WRITTEN = {
    "whole": "9007199254740993",
    "float": "1.0",
    "flag": "true",
    "price": "1.50",
    "date": "2025-07-01",
    "moment": "2025-07-01 10:30:00.500",
    "zoned": "2025-07-01 10:30:00+10:00",
    "time": "10:30:00",
    "span": "P1DT2H0M3S",
    "month": "2025-07",
    "bin": "(0, 2]",
    "category": "a",
    "bytes": "00ff",
    "list": "[1,null]",
    "dict": '{"a":1}',
    "array": "[1.5]",
    "mixed": "1",
}


def test_csv_writes_every_kind_of_value_and_nothing_for_null(tmp_path: Path) -> None:
    done = greynb.export(VALUES, tmp_path / "x.csv")
    names, first, second = csv_rows(tmp_path / "x.csv")
    assert dict(zip(names, first, strict=True)) == WRITTEN
    assert set(second) == {"", "inf", "x"}
    assert "month: periods are written as text" in done.notices
    assert "mixed: values of several or unknown kinds are written as text" in done.notices


def test_csv_is_as_the_standard_says(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a,b": ['say "hi"', "two\nlines", "", None], "é": [" x", "x ", "1", "\r"]})
    greynb.export(frame, tmp_path / "x.csv", formulas="keep")
    assert (tmp_path / "x.csv").read_bytes() == (
        b'"a,b",\xc3\xa9\r\n"say ""hi"""," x"\r\n"two\nlines","x "\r\n"",1\r\n,"\r"\r\n'
    )


def test_null_and_empty_text_in_csv_are_told_apart_by_readers_that_can(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    greynb.export(pd.DataFrame({"a": ["", None, "NULL"], "n": [1, 2, 3]}), path)
    assert pl.read_csv(path)["a"].to_list() == ["", None, "NULL"]
    found = duckdb.sql(f"SELECT a FROM read_csv('{path}', header = true, allow_quoted_nulls = false)")
    assert found.fetchall() == [("",), (None,), ("NULL",)]


def test_a_column_of_nulls_alone_is_said_to_have_empty_lines(tmp_path: Path) -> None:
    done = greynb.export(pd.DataFrame({"a": ["x", None]}), tmp_path / "x.csv")
    assert "skip_blank_lines=False" in done.notices[0]
    assert len(pd.read_csv(tmp_path / "x.csv", skip_blank_lines=False)) == 2


def test_texts_that_a_spreadsheet_would_run_get_an_apostrophe_in_csv(tmp_path: Path) -> None:
    texts = ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\tx", "\rx", " =1", "\uff1d1", "-5", "+1.5e3", "a=b", "'"]
    frame = pd.DataFrame({"t": texts, "=n": range(-6, 6)})
    done = greynb.export(frame, tmp_path / "x.csv")
    names, *rows = csv_rows(tmp_path / "x.csv")
    assert names == ["t", "'=n"]
    assert [row[0] for row in rows] == [*(f"'{text}" for text in texts[:8]), *texts[8:]]
    assert [row[1] for row in rows] == [str(number) for number in range(-6, 6)]
    assert "9 texts" in done.notices[0] and "column names 1×" in done.notices[0] and "t 8×" in done.notices[0]
    assert record_beside(tmp_path / "x.csv")["export"]["neutralised"] is True


def test_texts_stay_as_they_are_where_that_is_asked_for(tmp_path: Path) -> None:
    done = greynb.export(pd.DataFrame({"t": ["=1+1"]}), tmp_path / "x.csv", formulas="keep")
    assert csv_rows(tmp_path / "x.csv") == [["t"], ["=1+1"]] and done.notices == ()
    assert record_beside(tmp_path / "x.csv")["export"]["neutralised"] is False


def test_parquet_keeps_types_and_pandas_gets_its_own_back(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    greynb.export(VALUES, path)
    back = pd.read_parquet(path)
    for name in ("whole", "flag", "category", "float", "date", "moment", "zoned", "span"):
        pd.testing.assert_series_equal(back[name], VALUES[name], check_dtype=name != "date")
    assert back["price"][0] == Decimal("1.50") and back["bytes"][0] == b"\x00\xff"
    assert back["dict"][0] == {"a": 1} and back["time"][0] == dt.time(10, 30)
    assert pl.read_parquet(path).height == 2
    assert duckdb.sql(f"SELECT whole FROM '{path}'").fetchall() == [(2**53 + 1,), (None,)]


def test_parquet_takes_what_it_has_no_type_for_as_text(tmp_path: Path) -> None:
    done = greynb.export(pd.DataFrame({"d": [{}], "n": [1]}), tmp_path / "x.parquet")
    assert pd.read_parquet(tmp_path / "x.parquet")["d"][0] == "{}" and "d: Parquet" in done.notices[0]


def test_json_is_valid_and_nested_values_are_nested(tmp_path: Path) -> None:
    greynb.export(VALUES, tmp_path / "x.json")
    first, second = json_records(tmp_path / "x.json")
    assert first["whole"] == 2**53 + 1 and first["price"] == 1.5 and first["flag"] is True
    assert first["moment"] == "2025-07-01T10:30:00.500" and first["zoned"] == "2025-07-01T10:30:00+10:00"
    assert first["list"] == [1, None] and first["dict"] == {"a": 1} and first["bytes"] == "00ff"
    assert second["float"] == "inf" and second["whole"] is None and second["dict"] is None


def test_markdown_escapes_what_would_be_markup(tmp_path: Path) -> None:
    frame = pd.DataFrame({"race_id": ["a|b", "*x* _y_ race_id", "<b>&", "l1\nl2", None], "n": range(5)})
    greynb.export(frame, tmp_path / "x.md")
    assert (tmp_path / "x.md").read_text(encoding="utf-8").splitlines() == [
        "| race_id | n |",
        "| :--- | ---: |",
        r"| a\|b | 0 |",
        r"| \*x\* \_y\_ race_id | 1 |",
        "| &lt;b&gt;&amp; | 2 |",
        "| l1<br>l2 | 3 |",
        "| *NULL* | 4 |",
    ]


class _Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.removesuffix("\n") if data == "\n" else data


@settings(max_examples=50)
@given(st.lists(st.text("_a *`[]()<>|~&$\\-!.1#", min_size=1).map(str.strip), min_size=1, max_size=8))
def test_markdown_shows_a_text_of_signs_as_it_is(texts: list[str]) -> None:
    with TemporaryDirectory() as folder:
        greynb.export(pd.DataFrame({"t": texts}), Path(folder, "x.md"))
        markdown = Path(folder, "x.md").read_text(encoding="utf-8")
    cells = _Cells()
    cells.feed(mistune.create_markdown(escape=False, plugins=["table", "strikethrough"])(markdown))
    assert [row for (row,) in cells.rows[1:]] == texts
    assert not cells.tags & {"em", "strong", "del", "code", "a", "img"}


def test_html_is_one_sealed_page_without_network_that_shows_every_value(tmp_path: Path) -> None:
    path = tmp_path / "a & b.html"
    hostile = "</script><script>alert(1)</script>"
    greynb.export(races(t=[hostile, "x\r\ny"], n=[1.5, None]), path)
    page = path.read_bytes().decode()
    assert "http" not in page and page.count("<script") == 1 and "a &amp; b" in page
    assert seal_holds(page) and not seal_holds(page.replace("1.5", "1.6"))
    read = _Cells()
    read.feed(page.partition("<footer>")[0])
    assert read.rows == [["t", "n"], [hostile, "1.5"], ["x\r\ny", "NULL"]]
    assert "i" in read.tags


def test_html_of_very_many_rows_says_that_browsers_are_slow(tmp_path: Path) -> None:
    done = greynb.export(pd.DataFrame({"n": range(20_001)}), tmp_path / "x.html")
    assert "browsers take long" in done.notices[0]


def test_latex_escapes_all_its_signs(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a_b": ["\\&%$#_{}~^", "[x]\ny", None], "n": [-1.5, 2.0, 3.0]})
    greynb.export(frame, tmp_path / "x.tex")
    text = (tmp_path / "x.tex").read_text(encoding="utf-8")
    assert r"\begin{longtable}{lr}" in text and r"{a\_b} & {n} \\" in text
    assert r"{\textbackslash{}\&\%\$\#\_\{\}\textasciitilde{}\textasciicircum{}} & $-1.5$ \\" in text
    assert "{[x] y} & $2.0$" in text and r"{\emph{NULL}} & $3.0$" in text


@pytest.mark.parametrize("suffix", ["csv", "json", "md", "tex"])
def test_the_record_beside_is_plain_json(suffix: str, tmp_path: Path) -> None:
    greynb.export(races(), tmp_path / f"x.{suffix}")
    found = record_beside(tmp_path / f"x.{suffix}")
    assert found["export"]["format"] == suffix and found["export"]["rows"] == 2
    assert json.dumps(found)
