from __future__ import annotations

import re
import sqlite3
from dataclasses import replace
from html.parser import HTMLParser

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greynb.databases.frames import Fetched, from_sqlite
from greynb.databases.provenance import provenance
from greynb.databases.result import Result
from greynb.errors import QueryError
from greynb.notebook.display import DisplayTable, duration
from greynb.notebook.error_display import short_error
from greynb.notebook.values import width_of
from tests.notebook.shell import run


def shown(sql: str, *, rows: int = 20, notices: tuple[str, ...] = ()) -> DisplayTable:
    fetched = Fetched.last(duckdb.connect().execute(sql))
    frame, types = fetched.frame(), fetched.types
    result = Result(1, 1, sql, frame, types, None, 0.312, notices)
    return DisplayTable(result, "analytics", "season.db", "gen-000042", rows)


class Cells(HTMLParser):
    """The text of each table cell, and every tag used."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "td":
            self._open = True
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "td":
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[-1] += data


def cells(html: str) -> Cells:
    parser = Cells()
    parser.feed(html)
    return parser


def test_the_footer_tells_rows_shown_and_total_time_role_file_and_snapshot() -> None:
    table = shown("SELECT * FROM range(12345)")
    assert table.footer == "20 of 12,345 rows · 0.31 s · analytics · season.db @ gen-000042"
    assert table.footer in repr(table)
    assert table.footer in table._repr_html_()


def test_plain_text_is_an_aligned_table_with_types_under_the_names() -> None:
    table = shown("SELECT 1 AS box, 'Zoom' AS dog, 2.5::DOUBLE AS odds UNION ALL SELECT 10, NULL, 12.0")
    assert repr(table).splitlines()[:5] == [
        "    box  dog        odds",
        "INTEGER  VARCHAR  DOUBLE",
        "───────  ───────  ──────",
        "      1  Zoom        2.5",
        "     10  NULL       12.0",
    ]


def test_null_empty_text_and_the_text_null_differ() -> None:
    table = shown("SELECT unnest([NULL, '', 'NULL', 'x']) AS t")
    assert repr(table).splitlines()[3:7] == ["NULL", "''", "'NULL'", "x"]
    found = re.findall(r"<td[^>]*>(.*?)</td>", table._repr_html_())
    assert len(set(found)) == 4
    assert found[0].startswith("<i")


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("0.1::DOUBLE + 0.2::DOUBLE", "0.3"),
        ("12345678901.25::DOUBLE", "12345678901.25"),
        ("1234567890123456789::BIGINT", "1234567890123456789"),
        ("170141183460469231731687303715884105727::HUGEINT", "170141183460469231731687303715884105727"),
        ("12345678901234567.89::DECIMAL(38,2)", "12345678901234567.89"),
        ("0.1::FLOAT", "0.1"),
        ("3::DOUBLE", "3.0"),
        ("DATE '2025-07-01'", "2025-07-01"),
        ("DATE '20000-01-01'", "20000-01-01"),
        ("TIMESTAMP '2025-07-01 00:00:00'", "2025-07-01 00:00:00"),
        ("'infinity'::DOUBLE", "inf"),
        ("true", "true"),
        ("'\\x00\\xFF'::BLOB", "x'00ff' (2 bytes)"),
    ],
)
def test_values_are_written_without_noise_and_without_loss(sql: str, text: str) -> None:
    table = shown(f"SELECT {sql} AS v")
    assert repr(table).splitlines()[3].strip() == text
    assert cells(table._repr_html_()).texts == [text]


def test_long_text_is_cut_with_an_ellipsis_and_whole_in_the_title() -> None:
    html = shown("SELECT repeat('abc', 100) AS t")._repr_html_()
    assert f'title="{"abc" * 100}"' in html
    assert cells(html).texts[0].endswith("…")


def test_a_wide_table_counts_the_columns_that_do_not_fit_and_shows_all_in_html(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    table = shown("SELECT " + ", ".join(f"{i} AS column_{i}" for i in range(40)))
    lines = repr(table).splitlines()
    hidden = int(re.search(r"… (\d+) more columns …", lines[0])[1])  # type: ignore[index]
    assert len(re.findall(r"column_\d+", lines[0])) + hidden == 40
    assert max(map(len, lines)) <= 100
    assert table._repr_html_().count("<th ") == 40


def test_wide_characters_count_two_columns() -> None:
    lines = repr(shown("SELECT unnest(['日本', 'ab', '🐕']) AS t, 1 AS n")).splitlines()[:6]
    assert len({width_of(line) for line in lines}) == 1


def test_a_statement_without_rows_says_how_many_it_affected() -> None:
    result = Result(1, 1, "DELETE", None, (), 3, 0.004, ("a note",))
    table = DisplayTable(result, "staging", "stage.db")
    assert repr(table) == "note: a note\n3 rows affected · 4.0 ms · staging · stage.db"
    assert "<table" not in table._repr_html_()


def test_the_html_is_static_and_accessible() -> None:
    html = shown("SELECT 1 AS a", notices=("a <note>",))._repr_html_()
    assert cells(html).tags <= {
        *("div", "table", "caption", "thead", "tbody", "tr", "th", "td", "br", "small", "i", "span")
    }
    assert 'scope="col"' in html
    assert "<caption" in html
    assert "nowrap" in html.split("<caption")[1].split(">")[0]  # else it breaks over a narrow table
    assert "a &lt;note&gt;" in html


def test_a_result_with_no_rows_still_shows_names_and_types() -> None:
    table = shown("SELECT 1 AS a, 'x' AS b WHERE false")
    assert repr(table).splitlines()[:2] == ["      a  b", "INTEGER  VARCHAR"]
    assert table.footer.startswith("0 rows")


@given(st.text(), st.text())
def test_any_text_is_escaped_and_no_control_character_gets_out(name: str, value: str) -> None:
    frame = pd.DataFrame({name: pd.Series([value], dtype=object)})
    table = DisplayTable(Result(1, 1, "", frame, ("text",), None, 0.1), "staging", name)
    html = table._repr_html_()
    assert cells(html).tags <= {
        *("div", "table", "caption", "thead", "tbody", "tr", "th", "td", "br", "small", "i", "span")
    }
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", repr(table))
    html.encode()


def test_sqlite_results_show_the_storage_classes_in_the_header() -> None:
    cursor = sqlite3.connect(":memory:").execute("SELECT 1 AS v UNION ALL SELECT 'x'")
    frame, types = from_sqlite(cursor)
    table = DisplayTable(Result(1, 1, "", frame, types, None, 0.1), "staging", "stage.db")
    assert repr(table).splitlines()[1] == "integer|text"


def test_an_error_is_one_block_with_its_caret_line_and_nothing_executable() -> None:
    error = QueryError("no such <column>", detail="LINE 1: SELECT x\n               ^", hint="try y")
    block = short_error(error)
    assert block["text/plain"].splitlines()[2] == "               ^"
    assert "no such &lt;column&gt;" in block["text/html"]
    assert "Traceback" not in block["text/plain"]


def test_provenance_is_json_and_survives_concat() -> None:
    import json

    import numpy as np

    made = provenance(
        sql="SELECT :a",
        parameters={"a": np.int64(5), "ids": list(range(1000)), "d": pd.Timestamp("2025-01-01"), "n": None},
        role="analytics",
        file="/x/season.db",
        snapshot="gen-000042",
        rows=3,
        columns=["x"],
        seconds=0.1,
    )
    assert json.loads(json.dumps(made)) == made
    assert made["parameters"]["a"] == 5 and made["parameters"]["n"] is None
    assert made["parameters"]["d"] == {"timestamp": "2025-01-01T00:00:00"}
    assert json.loads(made["parameters"]["ids"]["list"]) == list(range(1000))
    frame = pd.DataFrame({"x": [1]})
    frame.attrs["greynb"] = made
    assert pd.concat([frame, frame]).attrs["greynb"] == made


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0012, "1.2 ms"), (0.05, "50 ms"), (0.31, "0.31 s"), (200, "3 min 20 s")]
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text


class Drawn(pd.DataFrame):
    """A kind of frame that draws itself."""

    def _repr_svg_(self) -> str:
        return "<svg/>"


def kinds_of(shell, frame):
    return set(shell.display_formatter.format(frame)[0])


def test_frames_of_other_origin_show_as_before_once_a_cell_was_shown(shell):
    plain, drawn = pd.DataFrame({"a": [1]}), Drawn({"a": [1]})
    before = kinds_of(shell, plain), kinds_of(shell, drawn)
    run(shell, "%%analytics\nSELECT 1 AS a")
    assert (kinds_of(shell, plain), kinds_of(shell, drawn)) == before
    assert shell.display_formatter.format(drawn)[0]["image/svg+xml"] == "<svg/>"


def test_a_user_s_own_formatter_of_frames_wins_before_and_after_a_cell_was_shown(shell):
    formatters = shell.display_formatter.formatters

    def shown():
        return shell.display_formatter.format(shell.run_cell_magic("analytics", "", "SELECT 1 AS a"))[0]

    formatters["image/svg+xml"].for_type(pd.DataFrame, lambda frame: "<svg/>")
    assert shown()["image/svg+xml"] == "<svg/>"
    formatters["text/markdown"].for_type(pd.DataFrame, lambda frame: "|a|")
    assert shown()["text/markdown"] == "|a|"
    shell.run_line_magic("unload_ext", "greynb")
    left = {kind for kind, formatter in formatters.items() if pd.DataFrame in formatter}
    assert left == {"image/svg+xml", "text/markdown"}


def test_showing_a_frame_leaves_its_provenance_in_place(shell):
    run(shell, "%%analytics\nSELECT 1 AS a")
    assert shell.user_ns["_"].attrs["greynb"]["sql"] == "SELECT 1 AS a"


class ShowsItself(pd.DataFrame):
    """A kind of frame that shows itself, by other means than formats."""

    def _ipython_display_(self) -> None:
        print("shown by itself")


def test_a_frame_that_shows_itself_still_does_once_a_cell_was_shown(shell):
    run(shell, "%%analytics\nSELECT 1 AS a")
    shell.user_ns["mine"] = ShowsItself({"a": [1]})
    assert run(shell, "mine").stdout.endswith("shown by itself\n")


class WithoutArrays(pd.DataFrame):
    """A frame of a pandas that does not hand out its arrays any more."""

    _get_column_array = None


def test_a_frame_shows_the_same_where_pandas_keeps_its_arrays_to_itself():
    table = shown("SELECT 1 AS i, 'x' AS s, DATE '2025-07-01' AS d, NULL::INT AS n, 1.5 AS f, true AS b")
    without = replace(table.result, frame=WithoutArrays(table.result.frame))
    assert repr(replace(table, result=without)) == repr(table)
