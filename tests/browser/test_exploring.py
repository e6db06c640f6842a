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
SQL = """
SELECT DATE '2025-01-01' + i::INT AS race_date, ['RICH', 'SAN', 'TAR'][1 + i * 7 % 3] AS venue,
    round(29.5 + sin(i / 30) + cos(i * i) / 3, 2) AS time_s
FROM range(300) AS t(i)
"""


def test_a_result_is_explored_drawn_and_profiled(
    opened: Opened, server: Server, picture: Callable[..., None]
) -> None:
    book = opened(
        "%load_ext greynb",
        f"%%analytics -n 3 --explore{SQL}",
        f"%%analytics -n 3 --plot scatter color=venue x=race_date --profile{SQL}",
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
    expect(widget.get_by_role("cell", name="SAN").first).to_be_visible()
    expect(widget.locator("svg rect").nth(20)).to_be_attached()
    picture("explore")
    book.page.set_viewport_size({"width": 1200, "height": 1050})
    book.run(2)
    expect(book.output(2).locator("img[src^='data:image/svg']")).to_be_visible(timeout=60_000)
    expect(book.output(2).locator("svg[aria-label^='spread of time_s']")).to_be_visible()
    expect(book.output(2)).to_contain_text("profile of the result · 300 rows, 3 columns")
    book.cell(2).scroll_into_view_if_needed()
    picture("plot-profile")
    assert elsewhere == []
    book.page.keyboard.press("Control+S")
    static, widget = saved_outputs(book, server, "--explore")
    assert "SAN" in static["data"]["text/html"] and "3 of 300 rows" in static["data"]["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in widget["data"]
    server.stop_kernels()
    book.page.reload()
    expect(book.output(1)).to_contain_text("The explorer ended with its kernel", timeout=60_000)
    expect(book.output(1)).to_contain_text("3 of 300 rows")
    expect(book.output(1)).not_to_contain_text("Error displaying widget")


def saved_outputs(book: NotebookPage, server: Server, word: str) -> list[Any]:
    """The outputs of the cell with a word in it, once the notebook is saved with them."""
    for _ in range(200):
        for path in server.folder.glob("*.ipynb"):
            for cell in nbformat.read(path, as_version=4).cells:
                if word in cell.source and cell.outputs:
                    return list(cell.outputs)
        book.page.wait_for_timeout(100)
    raise AssertionError("the notebook was not saved")
