"""The page of a notebook is whole by itself, quiet, safe to read, and written in one step."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from greynb.report import write_html
from greynb.report.charts import INK

SVG = f"""<?xml version="1.0"?><!DOCTYPE svg PUBLIC "x" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns="http://www.w3.org/2000/svg"><metadata><a href="http://example.org/"/></metadata>
<path style="fill: {INK}"/></svg>"""


def shown(**data: str) -> nbformat.NotebookNode:
    return new_output("display_data", data={name.replace("_", "/", 1): text for name, text in data.items()})


def page(tmp_path: Path, *cells: nbformat.NotebookNode, hide_code: bool = True) -> str:
    path = tmp_path / "page.html"
    write_html(new_notebook(cells=list(cells)), path, hide_code=hide_code)
    return path.read_text(encoding="utf-8")


def test_the_first_heading_is_the_title(tmp_path: Path) -> None:
    html = page(tmp_path, new_markdown_cell("# Dogs & odds\n\nText"))
    assert "<title>Dogs &amp; odds</title>" in html
    assert re.search(r"<h1>Dogs &amp; odds</h1>\s*<p>Text</p>", html)


def test_nothing_is_loaded_from_a_network(tmp_path: Path) -> None:
    svg = new_output("display_data", data={"image/svg+xml": SVG})
    html = page(tmp_path, new_markdown_cell("# A"), new_code_cell("plot()", outputs=[svg]))
    urls = set(re.findall(r"https?://[^\s\"'<>]*", html))
    assert urls <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not re.search(r"(?i)<(script|link|iframe|object)\b|@import|url\(", html)


def test_prints_warnings_and_code_are_left_out_but_results_stay(tmp_path: Path) -> None:
    cell = new_code_cell(
        "secret_code()",
        outputs=[
            new_output("stream", name="stdout", text="printed"),
            new_output("stream", name="stderr", text="FutureWarning"),
            shown(text_html="<b>kept</b>", text_plain="plain"),
        ],
    )
    html = page(tmp_path, cell)
    assert "<b>kept</b>" in html
    assert not {word for word in ("secret_code", "printed", "FutureWarning", "plain") if f">{word}" in html}
    assert "secret_code()" in page(tmp_path, cell, hide_code=False)


def test_output_of_a_tagged_cell_is_left_out(tmp_path: Path) -> None:
    cell = new_code_cell("x", outputs=[shown(text_plain="39,754 rows")], metadata={"tags": ["remove-output"]})
    assert "39,754" not in page(tmp_path, cell)


def test_scripts_of_an_output_are_dropped_but_not_its_provenance(tmp_path: Path) -> None:
    data = '<i>x</i><script>alert(1)</script><script type="application/json">{"sql": 1}</script>'
    html = page(tmp_path, new_code_cell("x", outputs=[shown(text_html=data)]))
    assert "alert" not in html
    assert '{"sql": 1}' in html


def test_the_sql_of_the_cells_stands_escaped_in_the_appendix(tmp_path: Path) -> None:
    html = page(
        tmp_path,
        new_markdown_cell("# A"),
        new_markdown_cell("## Wins"),
        new_code_cell("%%analytics df\nSELECT 1 < 2 AS ok"),
        new_code_cell("1 + 1"),
    )
    assert "<h3>Wins · analytics</h3>" in html
    assert "SELECT 1 &lt; 2 AS ok" in html
    assert "<details" not in page(tmp_path, new_code_cell("1 + 1"))


def test_charts_have_a_name_and_take_the_colours_of_the_page(tmp_path: Path) -> None:
    svg = new_output("display_data", data={"image/svg+xml": SVG})
    html = page(tmp_path, new_markdown_cell('# A\n\n## "Odds"'), new_code_cell("x", outputs=[svg]))
    assert '<svg role="img" aria-label="Chart: &quot;Odds&quot;"' in html
    assert '<path style="fill: var(--ink)"/>' in html
    assert "<metadata>" not in html and "<?xml" not in html


def test_pictures_are_embedded(tmp_path: Path) -> None:
    png = new_output("display_data", data={"image/png": "QUJD\n"})
    assert 'src="data:image/png;base64,QUJD"' in page(tmp_path, new_code_cell("x", outputs=[png]))


def test_text_output_is_escaped(tmp_path: Path) -> None:
    html = page(tmp_path, new_code_cell("x", outputs=[shown(text_plain="<class 'a'>")]))
    assert "<pre>&lt;class &#x27;a&#x27;&gt;</pre>" in html


def test_dollars_in_a_notebook_are_only_text(tmp_path: Path) -> None:
    assert "$title and ${body}" in page(tmp_path, new_markdown_cell("# $title and ${body}"))


class _Balance(HTMLParser):
    """Checks that elements close in the order in which they opened."""

    VOID = frozenset({"meta", "img", "br", "hr", "link", "path"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass


def test_the_page_is_well_formed(tmp_path: Path) -> None:
    checker = _Balance()
    checker.feed(page(tmp_path, new_markdown_cell("# A\n\n- b\n- c"), new_code_cell("%%staging\nSELECT 1")))
    assert checker.open == []


def test_a_page_that_cannot_be_written_leaves_the_old_one_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("old")
    lone_surrogate = new_notebook(cells=[new_markdown_cell("# \ud800")])
    with pytest.raises(UnicodeEncodeError):
        write_html(lone_surrogate, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
