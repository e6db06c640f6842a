"""Markdown says the same as the page, with its pictures in a folder and its record beside it."""

from __future__ import annotations

import json
from pathlib import Path

import mistune
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from greynb import Report
from greynb.report.document.document import Document
from greynb.report.document.prose import escaped, lines, plain, split
from greynb.report.document.writing import save
from greynb.report.recording import Source, source_of


@pytest.fixture
def path(document: Document, tmp_path: Path) -> Path:
    (made,) = save(document, tmp_path / "out" / "my report.md")
    return made


def test_it_has_everything_of_the_report(path: Path) -> None:
    text = path.read_text()
    assert text.startswith("# Dogs \\& odds \\<July\\>\n")
    assert "| **1,204** | **−7.2%** |" in text
    assert "> The model picked −2 points fewer winners." in text
    assert "| venue | Counts: races | Counts: runners (dogs) | latest race |" in text
    assert "```sql\nSELECT venue" in text
    assert "The first 50 of 1,000 rows" in text


def test_links_to_the_sql_lead_to_a_heading(path: Path) -> None:
    text = path.read_text()
    assert "[SQL 1](#sql-1)" in text and "### SQL 1\n" in text  # the heading's anchor on GitHub


def test_pictures_are_files_in_a_folder_beside_it(path: Path) -> None:
    assert (
        "![Winners picked by month, between 28 and 31 %](my%20report_files/chart-1.svg)" in path.read_text()
    )
    assert (path.parent / "my report_files" / "chart-1.svg").read_text().startswith("<svg")


def test_the_record_stands_beside_it(path: Path, venues: pd.DataFrame, numbers: pd.DataFrame) -> None:
    record = json.loads((path.parent / "my report.md.meta.json").read_text())
    assert [Source.from_dict(each) for each in record["sources"]] == [source_of(venues), source_of(numbers)]


@example("1)")
@example("2. x")
@given(st.text("abc #*_`|<>[]()!~$&\\-+=.1\n\t", max_size=40).map(lambda text: " ".join(text.split())))
def test_escaped_text_reads_as_it_was(text: str) -> None:
    assert plain(escaped(text)) == text
    html = str(mistune.html(escaped(text)))
    assert not text or (html.startswith("<p>") and html.count("<p>") == 1)


def test_a_cell_cannot_break_its_row(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a|b": ["x|y\n| z |"], "c": [1]})
    Report("Pipes").table(frame).save(tmp_path / "x.md")
    html = mistune.create_markdown(plugins=["table"])((tmp_path / "x.md").read_text())
    assert html.count("<td") == 2 and html.count("<th ") + html.count("<th>") == 2


def test_code_with_fences_stays_inside_its_fence(tmp_path: Path) -> None:
    Report("Fences").code("```\n# no heading\n```").save(tmp_path / "x.md")
    assert mistune.html((tmp_path / "x.md").read_text()).count("<h1>") == 1


def test_headings_are_found_outside_of_fences_alone() -> None:
    text = "intro\n# One *two*\nbody\n```\n# comment\n```\n## Three ##\nend"
    found = [
        (type(each).__name__, getattr(each, "text", getattr(each, "markdown", ""))) for each in split(text)
    ]
    assert found == [
        ("Text", "intro"),
        ("Heading", "One two"),
        ("Text", "body\n```\n# comment\n```"),
        ("Heading", "Three"),
        ("Text", "end"),
    ]


def test_plain_lines_keep_lists_and_tables_readable() -> None:
    text = "A **b** `c`\n\n- one\n- two\n\n3. x\n4. y\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> q"
    assert list(lines(text)) == ["A b c", "• one", "• two", "3. x", "4. y", "a   b", "1   2", "q"]


def test_no_line_end_of_a_text_ends_the_row_of_a_table(tmp_path: Path) -> None:
    frame = pd.DataFrame({"t": ["a\rb", "c\r\nd", "e\nf"]})
    Report("R").table(frame, "x\ry").save(tmp_path / "r.md")
    text = (tmp_path / "r.md").read_bytes().decode()
    assert "\r" not in text and "**x y**" in text
    assert [line for line in text.split("\n") if line.startswith("|")][2:] == [
        "| a b |",
        "| c d |",
        "| e f |",
    ]
