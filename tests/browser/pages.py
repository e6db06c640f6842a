"""What a person does in a notebook in the browser, by what a person sees there."""

from __future__ import annotations

import re
from collections.abc import Sequence

import nbformat
from playwright.sync_api import Locator, Page, expect

from tests.browser.server import Server

KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


class NotebookPage:
    """A notebook in the browser, ready to be typed in.

    It is ready when the kernel is idle and its first cell, which must be Python, has the kernel's language:
    keys that are typed before are lost.
    """

    def __init__(self, page: Page, server: Server, name: str, cells: Sequence[str], app: str) -> None:
        self.page = page
        book = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(each) for each in cells], metadata={"kernelspec": KERNEL}
        )
        nbformat.write(book, server.folder / name)
        page.goto(server.page(f"{app}/tree/{name}" if app == "lab" else f"{app}/{name}"))
        indicator = page.locator(".jp-Notebook-ExecutionIndicator:visible")
        expect(indicator).to_have_attribute("data-status", "idle", timeout=60_000)
        expect(page.locator(".jp-Toolbar-kernelName:visible")).to_contain_text("Python 3")
        expect(self.editor(0)).to_have_attribute("data-language", "python", timeout=60_000)

    def cell(self, number: int) -> Locator:
        return self.page.locator(".jp-NotebookPanel:visible .jp-CodeCell").nth(number)

    def editor(self, number: int) -> Locator:
        return self.cell(number).locator(".cm-content")

    def output(self, number: int) -> Locator:
        return self.cell(number).locator(".jp-OutputArea")

    def enter(self, number: int) -> None:
        """Put the cursor into a cell, once its language is there."""
        expect(self.editor(number)).to_have_attribute("data-language", re.compile("."))
        self.editor(number).click()

    def type_into(self, number: int, text: str) -> None:
        """Replace what a cell holds, key by key."""
        self.enter(number)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def run(self, number: int) -> None:
        """Run a cell and keep it selected."""
        self.enter(number)
        self.page.keyboard.press("Control+Enter")
