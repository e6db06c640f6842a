"""The explorer, plots and profiles in JupyterLab: that they can be seen, without any address elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Request, expect

from tests.browser.pages import NotebookPage
from tests.browser.server import Server

pytestmark = pytest.mark.browser

Opened = Callable[..., NotebookPage]
SQL = "SELECT venue, race_date, runners FROM races ORDER BY ALL"


def test_a_result_is_explored_drawn_and_profiled(
    opened: Opened, server: Server, picture: Callable[..., None]
) -> None:
    book = opened(
        "%load_ext greynb",
        f"%%analytics --explore\n{SQL}",
        f"%%analytics --plot bar x=venue y=runners --profile\n{SQL}",
    )
    elsewhere: list[str] = []

    def note(request: Request) -> None:
        if not re.match(r"(https?|wss?)://127\.0\.0\.1|data:|blob:", request.url):
            elsewhere.append(request.url)

    book.page.on("request", note)
    book.run(0)
    book.run(1)
    widget = book.output(1).locator(".quak")
    expect(widget).to_contain_text("race_date", timeout=60_000)
    expect(widget.get_by_role("cell", name="TAR").first).to_be_visible()
    picture("explore")
    book.run(2)
    expect(book.output(2).locator("img[src^='data:image/svg']")).to_be_visible(timeout=60_000)
    expect(book.output(2).locator("svg[aria-label^='spread of runners']")).to_be_visible()
    expect(book.output(2)).to_contain_text("profile of the result · 4 rows, 3 columns")
    book.cell(2).scroll_into_view_if_needed()
    picture("plot-profile")
    assert elsewhere == []
    book.page.keyboard.press("Control+S")
    (shown,) = saved_outputs(book, server, "--explore")
    assert "TAR" in shown["data"]["text/html"] and "4 rows" in shown["data"]["text/plain"]


def saved_outputs(book: NotebookPage, server: Server, word: str) -> list[Any]:
    """The outputs of the cell with a word in it, once the notebook is saved with them."""
    for _ in range(200):
        for path in server.folder.glob("*.ipynb"):
            for cell in nbformat.read(path, as_version=4).cells:
                if word in cell.source and cell.outputs:
                    return list(cell.outputs)
        book.page.wait_for_timeout(100)
    raise AssertionError("the notebook was not saved")
