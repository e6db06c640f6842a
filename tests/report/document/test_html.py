"""A page stands alone, is readable by everybody, and carries what its numbers were made from."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greynb import Report
from greynb.report.document import blocks, html
from greynb.report.document.document import Document
from greynb.report.document.scales import SCALES, shades
from greynb.report.recording import Source, source_of
from greynb.report.seal import seal_holds
from tests.report.document.conftest import MADE
from tests.report.document.pages import Page


def test_nothing_is_loaded_from_a_network_and_nothing_runs(document: Document) -> None:
    page = html.page(document)
    addresses = set(re.findall(r"https?://[^\s\"'<>]*", page))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not re.search(r"(?i)<(link|iframe|object|base)\b|@import|\son\w+=|javascript:", page)
    assert {each["type"] for each in Page(page).all("script")} == {"application/json"}
    assert {match[1] for match in re.finditer(r"url\((.)", page)} <= {"#"}


def test_a_page_has_a_language_one_title_and_headings_that_skip_no_level(document: Document) -> None:
    page = Page(html.page(document))
    assert page.all("html") == [{"lang": "en"}]
    assert page.text("title") == page.text("h1") == ["Dogs & odds <July>"]
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_tables_have_captions_and_cells_that_know_their_heads(document: Document) -> None:
    page = Page(html.page(document))
    assert page.text("caption") == ["All venues", "Numbers"]
    assert all(each.get("scope") in ("col", "colgroup") for each in page.all("th"))
    ids = {each["id"] for each in page.all("th")}
    assert all(set((each["headers"] or "").split()) <= ids for each in page.all("td"))


def test_pictures_have_a_text_and_no_id_is_used_twice(document: Document) -> None:
    two = replace(document, blocks=(*document.blocks, *document.blocks))
    page = Page(html.page(two))
    drawn = [each for each in page.all("svg") if each.get("role") == "img"]
    assert [each["aria-label"] for each in drawn] == ["Winners picked by month, between 28 and 31 %"] * 2
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_small_print_says_where_numbers_come_from_and_leads_to_the_sql(document: Document) -> None:
    page = Page(html.page(document))
    targets = {attrs["id"] for _, attrs in page.elements if "id" in attrs}
    links = [each["href"] for each in page.all("a")]
    assert links == ["#sql-1", "#sql-1", "#sql-2", "#sql-2"]
    assert {link.removeprefix("#") for link in links if link} <= targets
    assert any(
        re.search(r"analytics · analytics\.db.* · \d+ \w+ 2\d+, .* · SQL 1", text) for text in page.text("p")
    )
    assert any("WHERE race_date >= :since" in text for text in page.text("pre"))
    assert ":since = 2025-07-01" in page.text("p")


def test_a_page_carries_the_record_of_each_result(document: Document, venues, numbers) -> None:
    page = Page(html.page(document))
    records = [Source.from_dict(json.loads(text)) for text in page.text("script")]
    assert records == [source_of(venues), source_of(numbers)]


def test_a_record_cannot_end_its_element() -> None:
    import pandas as pd

    frame = pd.DataFrame({"a": ["</script><script>alert(1)</script><!--"]})
    frame.attrs["greynb"] = {"sql": "SELECT '</script>'"}
    page = Page(html.page(Report("x").table(frame).document))
    assert len(page.all("script")) == 1
    assert json.loads(page.text("script")[0])["sql"] == "SELECT '</script>'"


def test_a_page_is_sealed(document: Document) -> None:
    page = html.page(document)
    assert seal_holds(page)
    assert not seal_holds(page.replace("1,204", "1,304"))


def test_the_same_document_gives_the_same_bytes(document: Document) -> None:
    assert html.page(document) == html.page(replace(document))


def test_a_long_table_says_how_much_is_left_out(document: Document) -> None:
    page = html.page(document)
    assert "The first 50 of 1,000 rows; all are in the Excel workbook." in page
    assert "dog 49" in page and "dog 50<" not in page


def test_charts_take_the_colours_of_the_page(document: Document) -> None:
    page = html.page(document)
    assert "var(--model)" in page.split("<figure>")[1].split("</figure>")[0]


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        '<rect onload="alert(1)"/>',
        "<foreignObject><b/></foreignObject>",
        '<image href="https://example.org/x.png"/>',
        "<style>@import 'x.css'</style>",
        '<rect fill="url(https://example.org/x)"/>',
    ],
)
def test_a_chart_that_could_run_or_load_something_is_shown_as_a_mere_picture(inside: str) -> None:
    svg = f'<svg xmlns="http://www.w3.org/2000/svg">{inside}</svg>'
    page = Page(html.page(Report("x").chart(svg, alt="a drawing").document))
    assert not page.all("svg")
    (picture,) = page.all("img")
    assert picture["alt"] == "a drawing" and (picture["src"] or "").startswith("data:image/svg+xml;base64,")


def test_html_and_pictures_from_elsewhere_in_markdown_are_left_out() -> None:
    text = (
        "a <b onclick='x()'>bold</b> word ![dog](https://example.org/dog.png) [go](javascript:alert(1))\n\n"
        "<div><script>alert(1)</script>\nkept</div>"
    )
    page = Page(html.page(Report("x").text(text).document))
    assert not page.all("img", "b", "script")
    assert "javascript" not in str(page.all("a"))
    assert "a bold word dog" in page.text("main")[0]
    assert "kept" in page.text("main")[0]


@given(st.text())
def test_no_text_becomes_markup(text: str) -> None:
    made = Document(
        text,
        (
            blocks.Heading(text),
            blocks.Note(text),
            blocks.Code(text),
            blocks.Tiles((blocks.Tile(text, text, text),)),
            blocks.Chart("<svg></svg>", text, text),
        ),
        made=MADE,
    )
    page = Page(html.page(made).encode("utf-8", "replace").decode())
    tags = [tag for tag, _ in page.elements]
    known = (
        "html head meta title style body main h1 h2 p pre dl div dt dd figure svg figcaption footer".split()
    )
    assert set(tags) <= set(known)
    assert tags.count("svg") == tags.count("h2") == tags.count("pre") == 1


@settings(max_examples=30)
@given(st.text(max_size=30))
def test_no_text_of_a_table_becomes_markup(text: str) -> None:
    import pandas as pd

    frame = pd.DataFrame({"a": [text], "b": [1]})
    made = Report("x").table(
        frame, text, labels={"a": text}, units={"b": text or "u"}, spanners={text: ["a"]}
    )
    page = Page(html.page(made.document).encode("utf-8", "replace").decode())
    inside = {tag for tag, _ in page.elements} - set("html head meta title style body main h1 footer".split())
    assert inside <= set("div table caption thead tr th span tbody td".split())
    assert len(page.all("td")) == 2


def luminance(colour: tuple[float, ...]) -> float:
    """WCAG 2.2, relative luminance of an sRGB colour, its parts from 0 to 255."""
    parts = [part / 255 for part in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def rgb(colour: str) -> tuple[float, ...]:
    digits = colour.lstrip("#")
    digits = "".join(each * 2 for each in digits) if len(digits) == 3 else digits
    return tuple(int(digits[i : i + 2], 16) for i in (0, 2, 4))


def palettes() -> list[dict[str, str]]:
    """The colours in light, in dark and in print."""
    style = html.page(Document("x", (), made=MADE)).split("<style>")[1].split("</style>")[0]
    rules = [rule for rule in re.findall(r"\.greynb \{(.*?)\}", style, re.S) if "--paper" in rule]
    found = [dict(re.findall(r"--(\w+): (#\w+);", rule)) for rule in rules]
    assert len(found) == 3
    return found


@pytest.mark.parametrize("palette", palettes(), ids=["light", "dark", "print"])
def test_all_text_has_a_contrast_of_at_least_4_5(palette: dict[str, str]) -> None:
    for ground in ("paper", "wash"):
        for text in ("ink", "faint", "model"):
            assert contrast(rgb(palette[text]), rgb(palette[ground])) >= 4.5, (text, ground)
    for line in ("model", "market", "uniform"):
        assert contrast(rgb(palette[line]), rgb(palette["paper"])) >= 3, line


@pytest.mark.parametrize("palette", palettes(), ids=["light", "dark", "print"])
@pytest.mark.parametrize("scale", SCALES)
def test_text_reads_on_every_shade_of_a_colour_scale(scale: str, palette: dict[str, str]) -> None:
    for shade in shades([-2.0, -1.0, 0.0, 1.0, 2.0], scale):
        assert shade is not None
        opacity = int(shade[7:], 16) / 255
        mixed = [
            s * opacity + p * (1 - opacity)
            for s, p in zip(rgb(shade[:7]), rgb(palette["paper"]), strict=True)
        ]
        assert contrast(rgb(palette["ink"]), tuple(mixed)) >= 4.5


def test_a_preview_is_the_page_without_its_frame(report: Report) -> None:
    shown = report._repr_html_()
    page = Page(shown)
    assert page.text("h1") == ["Dogs & odds <July>"]
    assert not page.all("html", "script")
    rules = page.text("style")[0]
    selectors = re.findall(r"(?m)^\s*([^@{}/*\s][^{}]*)\{", rules)
    assert selectors and all("greynb" in each for each in selectors)


SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        '<style><![CDATA[@import "http://e.example/a.css";]]></style>',
        "<style>@im/**/port 'x.css'</style>",
        '<desc><iframe srcdoc="&lt;script&gt;alert(1)&lt;/script&gt;"/></desc>',
        '<desc><meta http-equiv="refresh" content="0;url=x"/></desc>',
        '<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">a</p></foreignObject>',
        '<rect fill="\\75rl(x.svg)"/>',
        "<rect style=\"background:image-set('//e.example/a.png' 1x)\"/>",
        '<set attributeName="href" to="x"/>',
        '<image xlink:href="https://e.example/a.png"/>',
    ],
)
def test_a_chart_that_could_run_or_load_something_is_a_mere_picture(inside: str) -> None:
    page = html.page(Report("R").chart(SVG.format(inside), alt="x").document)
    assert '<img src="data:image/svg+xml;base64,' in page and "<svg" not in page


def test_a_chart_that_only_draws_stands_in_the_page() -> None:
    inside = '<!-- n --><defs><path id="a"/></defs><use xlink:href="#a"/><text fill="url(#a)">n</text>'
    page = html.page(Report("R").chart(SVG.format(inside), alt="x").document)
    assert "<svg role" in page and "<!-- n" not in page
