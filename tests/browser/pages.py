"""What a person does in a notebook in the browser, by what a person sees there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

import nbformat
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

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
        # A workspace of its own: JupyterLab opens again what was open in it.
        page.goto(server.page(f"lab/workspaces/{name[:-6]}/tree/{name}" if app == "lab" else f"{app}/{name}"))
        indicator = page.locator(".jp-Notebook-ExecutionIndicator:visible")
        expect(indicator).to_have_attribute("data-status", "idle", timeout=60_000)
        expect(page.locator(".jp-Toolbar-kernelName:visible")).to_contain_text("Python 3")
        expect(self.editor(0)).to_have_attribute("data-language", "python", timeout=60_000)
        if app == "lab":
            page.get_by_role("tab", name="File Browser").click()  # closes it

    @property
    def status(self) -> Locator:
        """The status item in the notebook's toolbar, while it is shown."""
        return self.page.locator(".jp-NotebookPanel-toolbar:visible .greynb-open:visible")

    @property
    def stop(self) -> Locator:
        """Its button that stops a query, while one runs."""
        return self.page.locator(".jp-NotebookPanel-toolbar:visible .greynb-stop:visible")

    @property
    def panel(self) -> Locator:
        """The panel that the status item opens."""
        return self.page.get_by_role("region", name="greynb")

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

    def complete(self, number: int) -> None:
        """Press Tab at the end of a cell until something is offered: JupyterLab waits a second each time."""
        self.enter(number)
        self.page.keyboard.press("Control+End")
        for _ in range(10):
            self.page.keyboard.press("Tab")
            with suppress(PlaywrightTimeout):
                self.completer.wait_for(timeout=2_000)
                return
        raise AssertionError("nothing was offered")

    @property
    def completer(self) -> Locator:
        """The list of completions."""
        return self.page.locator(".jp-Completer:visible")

    def choose(self, menu: str, *items: str) -> None:
        """Choose from the menu bar, through its submenus."""
        self.page.locator(".lm-MenuBar-itemLabel").get_by_text(menu, exact=True).click()
        for item in items:
            self.page.locator(".lm-Menu-itemLabel").get_by_text(item, exact=True).click()
