"""HTML of other libraries is shown without what could run, load, restyle or break the page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greynb.report.document.cleaning import cleaned
from tests.report.document.pages import Page


def test_a_table_keeps_its_structure() -> None:
    inside = '<tr><th scope="col">a</th><td colspan="2">1 &lt; 2</td></tr></table>'
    assert cleaned(f'<table border="1" class="x" style="y">{inside}') == f"<table>{inside}"


@pytest.mark.parametrize(
    ("html", "left"),
    [
        ("<script>alert(1)</script>a", "a"),
        ("<style>b{}</style>a", "a"),
        ('<b onclick="x()">a</b>', "<b>a</b>"),
        ('<img src="https://example.org/x.png">a', "a"),
        ('<a href="javascript:x()">a</a>', "a"),
        ("<iframe src='x'>b</iframe>a", "a"),
        ("<svg><script>x</script><br></svg>a", "a"),
        ("<div><p>a", "<div><p>a</p></div>"),
        ("a</div></main>", "a"),
        ("<b><i>a</b>b", "<b><i>a</i></b>b"),
        ("<embed>a", "a"),
        ("a<br/>b", "a<br>b"),
        ("<!-- a -->b", "b"),
    ],
)
def test_what_is_not_for_reading_is_left_out(html: str, left: str) -> None:
    assert cleaned(html) == left


@given(
    st.lists(
        st.sampled_from(
            [
                "<b>",
                "</b>",
                "<table>",
                "</table>",
                "<script>",
                "</script>",
                "<svg>",
                "</svg>",
                "<br>",
                "<p title='\"><x>'>",
                "</p>",
                "</main>",
                "text",
                "&lt;",
                "<",
                "<!--",
                "-->",
            ]
        )
    )
)
def test_any_pieces_give_whole_and_passive_html(pieces: list[str]) -> None:
    page = Page(cleaned("".join(pieces)))
    assert {tag for tag, _ in page.elements} <= {"b", "table", "br", "p"}
