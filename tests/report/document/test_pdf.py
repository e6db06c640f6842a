"""A PDF is tagged, complete and the same every time, and no text of a report is read as markup."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from greynb import Report
from greynb.report.document import blocks
from greynb.report.document.document import Document
from greynb.report.document.pdf import pdf
from greynb.report.recording import Source, source_of
from tests.report.document.conftest import MADE


def read(document: Document) -> PdfReader:
    return PdfReader(io.BytesIO(pdf(document)))


def text(reader: PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages)


def tags(node: Any) -> Iterator[Any]:
    """The structure elements of a tagged PDF, in reading order."""
    node = node.get_object()
    if "/S" in node:
        yield node
    kids = node.get("/K", [])
    kids = kids.get_object() if hasattr(kids, "get_object") else kids
    for kid in kids if isinstance(kids, list) else [kids]:
        found = kid.get_object() if hasattr(kid, "get_object") else kid
        if isinstance(found, dict):
            yield from tags(found)


def test_everything_of_a_report_is_in_its_pdf(document: Document) -> None:
    found = text(read(document))
    for part in (
        "Dogs & odds <July>",
        "month 2025-07",
        "1,204",
        "−7.2%",
        "All venues",
        "RICH",
        "By month",
        "SQL 2",
    ):
        assert part in found
    assert "WHERE race_date >= :since" in found
    assert "report.ipynb" in found and "1 / " in found
    assert "The first 50 of 1,000 rows" in found


def test_a_pdf_has_a_title_a_language_and_tags(document: Document) -> None:
    reader = read(document)
    root = reader.trailer["/Root"]
    assert reader.metadata is not None and reader.metadata.title == "Dogs & odds <July>"
    assert root["/Lang"] == "en" and root["/MarkInfo"]["/Marked"]
    found = [str(each["/S"]) for each in tags(root["/StructTreeRoot"])]
    assert {"/Table", "/TH", "/TD", "/Figure", "/H1", "/L", "/Link"} <= set(found)
    figures = [each for each in tags(root["/StructTreeRoot"]) if each["/S"] == "/Figure"]
    assert "Winners picked by month, between 28 and 31 %" in [str(each.get("/Alt")) for each in figures]


def test_a_pdf_says_that_it_is_accessible(document: Document) -> None:
    assert b"pdfuaid:part" in pdf(document)
    exotic = replace(document, blocks=(blocks.Note("a sign that no font has: \U0001f40e"),))
    assert "a sign that no font has" in text(read(exotic))


def test_a_pdf_carries_the_record_of_its_results(document: Document, venues, numbers) -> None:
    (attached,) = read(document).attachments["greynb.json"]
    record = json.loads(attached)
    assert record["title"] == "Dogs & odds <July>"
    assert [Source.from_dict(each) for each in record["sources"]] == [source_of(venues), source_of(numbers)]


def test_a_long_table_repeats_its_heads_on_every_page() -> None:
    columns = tuple(
        blocks.Column(label, "", number, tuple(f"{label} {i}" for i in range(120)))
        for label, number in (("dog", False), ("time", True))
    )
    import pandas as pd

    table = blocks.Table(columns, pd.DataFrame(), 120)
    pages = read(Document("Long", (table,), made=MADE)).pages
    assert len(pages) > 2
    assert all("dog time" in page.extract_text().replace("\n", " ") for page in pages)


def test_a_wide_table_fits_a_page_on_its_side() -> None:
    import pandas as pd

    columns = tuple(blocks.Column(f"column {i}", "", True, ("1,234.5",)) for i in range(18))
    table = blocks.Table(columns, pd.DataFrame(), 1)
    pages = read(Document("Wide", (table,), made=MADE)).pages
    widths = {float(page.mediabox.width) > float(page.mediabox.height) for page in pages}
    assert widths == {True, False}


def test_the_same_document_gives_the_same_bytes(document: Document) -> None:
    assert pdf(document) == pdf(replace(document))


@settings(max_examples=15)
@given(st.text(st.characters(codec=None), max_size=60), st.text('#[]{}$*_`"\\/<>@=-+~() \nabc', max_size=60))
def test_no_text_is_read_as_markup_or_stops_the_pdf(any_text: str, marks: str) -> None:
    import pandas as pd

    for words in (any_text, marks):
        column = blocks.Column(words, words, False, (words,))
        made = Document(
            words,
            (
                blocks.Heading(words),
                blocks.Text(words),
                blocks.Note(words),
                blocks.Code(words, "sql"),
                blocks.Tiles((blocks.Tile(words, words, words),)),
                blocks.Table((column,), pd.DataFrame(), 1, words, ((words, 0, 1),)),
                blocks.Chart(
                    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', words or "x", words
                ),
                blocks.Foreign(words, words),
            ),
            words,
            words,
            MADE,
        )
        assert pdf(made).startswith(b"%PDF")


@pytest.mark.parametrize(
    "words", ['#panic("x")', "*not bold* _nor this_", "= no heading", "$1 + 1$", "\\ @ref <lab>"]
)
def test_marks_of_typst_are_only_text(words: str) -> None:
    found = text(read(Document("Marks", (blocks.Note(words), blocks.Heading(words)), made=MADE)))
    assert found.count(words) == 2


def test_markdown_keeps_its_structure() -> None:
    words = (
        "A [link](https://example.org/x) and **bold**\n\n1. one\n2. two\n\n> quoted\n\n"
        "| a | b |\n|---|--:|\n| 1 | 2 |\n\n```\ncode\n```"
    )
    reader = read(Document("Prose", (blocks.Text(words),), made=MADE))
    links = [each.get_object()["/A"]["/URI"] for each in reader.pages[0]["/Annots"]]
    assert links == ["https://example.org/x"]
    found = [str(each["/S"]) for each in tags(reader.trailer["/Root"]["/StructTreeRoot"])]
    assert {"/L", "/LI", "/BlockQuote", "/Table", "/Code"} <= set(found)


def test_a_narrow_table_keeps_its_columns_together() -> None:
    frame = pd.DataFrame({"day": ["04 Jul"], "venue": ["Horsham"], "race": [11], "price": [34.5]})
    document = Report("x").table(frame).document
    (page,) = read(document).pages
    places: dict[str, float] = {}

    def seen(words: str, matrix: Any, _text: Any, _font: Any, _size: Any) -> None:
        places.setdefault(words.strip(), matrix[4])

    page.extract_text(visitor_text=seen)
    gaps = [places[b] - places[a] for a, b in pairwise(("04 Jul", "Horsham", "11", "34.50"))]
    assert max(gaps) < 150 and min(gaps) > 40


def test_the_words_before_a_chart_stand_on_its_page(figure: Any) -> None:
    report = Report("x")
    for _ in range(26):
        report.text("A line of its own.")
    report.heading("The chart").text("What to look for in it.").chart(figure, alt="rising")
    pages = [page.extract_text() for page in read(report.document).pages]
    (place,) = [number for number, found in enumerate(pages) if "What to look for" in found]
    assert place == 1 and "The chart" in pages[1] and "A line of its own" in pages[0]
