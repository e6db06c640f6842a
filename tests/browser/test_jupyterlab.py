"""greynb in a real JupyterLab and a real Notebook 7, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.pages import NotebookPage

pytestmark = pytest.mark.browser

Opened = Callable[..., NotebookPage]


def test_a_cell_is_sql_as_long_as_its_magic_stands_there(opened: Opened, app: str) -> None:
    book = opened("import math", "x = 1", app=app)
    expect(book.editor(1)).to_have_attribute("data-language", "python")
    book.type_into(1, "%%analytics df --show\nSELECT venue FROM races")
    expect(book.editor(1)).to_have_attribute("data-language", "sql")
    expect(book.editor(1).locator(".greynb-magic")).to_have_text("%%analytics df --show")
    expect(book.editor(0)).to_have_attribute("data-language", "python")
    book.type_into(1, "%%timeit\nx = 1")
    expect(book.editor(1)).to_have_attribute("data-language", "python")


def test_ctrl_slash_comments_in_the_language_of_the_cell(opened: Opened) -> None:
    book = opened("x = 1", "%%staging\nSELECT 1")
    expect(book.editor(1)).to_have_attribute("data-language", "sql")
    book.editor(1).click()
    book.page.keyboard.press("Control+End")
    book.page.keyboard.press("Control+/")
    expect(book.editor(1).locator(".cm-line").last).to_have_text("-- SELECT 1")
    book.editor(0).click()
    book.page.keyboard.press("Control+/")
    expect(book.editor(0)).to_have_text("# x = 1")


def test_sql_in_a_line_of_python_has_sqls_colours(opened: Opened) -> None:
    book = opened(
        "import math", "races = %analytics SELECT venue FROM races WHERE runners IS NULL\nwhere = 1"
    )
    keyword = (
        "() => getComputedStyle(document.querySelectorAll('.cm-content')[0].querySelector('span')).color"
    )
    colour = book.page.evaluate(keyword)
    for word in ("SELECT", "FROM", "WHERE"):
        expect(book.editor(1).get_by_text(word, exact=True)).to_have_css("color", colour)
    expect(book.editor(1)).to_have_attribute("data-language", "python")
    expect(book.editor(1).locator(".cm-line").last).to_have_text("where = 1")
    expect(book.editor(1).locator(".cm-line").last.locator("span")).to_have_count(2)  # Python's own colours


def test_markdown_and_text_of_other_magics_stay_as_they_are(opened: Opened) -> None:
    book = opened("import math", "%%bash\nselect x in a b; do echo; done")
    expect(book.editor(1)).to_have_attribute("data-language", "python")
    book.editor(1).click()
    book.page.keyboard.press("Escape")
    book.page.keyboard.press("m")
    book.page.keyboard.press("Enter")
    markdown = book.page.locator(".jp-MarkdownCell .cm-content")
    expect(markdown).to_have_attribute("data-language", "markdown")
    book.page.keyboard.press("Control+A")
    book.page.keyboard.type("%%analytics\nselect")
    expect(markdown).to_have_attribute("data-language", "markdown")
