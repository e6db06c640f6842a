"""The documentation site, opened as files: whole without a network, searchable, and readable when narrow."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from docsite import ROOT

pytestmark = pytest.mark.browser
SITE = ROOT / "build" / "site"
PAGES = "index tutorial howto/load reference/commands reference/python troubleshooting/analytics".split()


def address(name: str) -> str:
    assert SITE.exists(), "`make docs` builds the site"
    return f"{(SITE / name).as_uri()}.html"


def test_the_search_of_a_page_that_is_opened_as_a_file_finds_a_message(page: Page) -> None:
    page.goto(f"{address('index')}?q=locked")
    found = page.locator(".md-search-result__list")
    expect(found).to_contain_text("the database was locked for … s", timeout=30_000)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_nothing_but_files(page: Page, name: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address(name), wait_until="networkidle")
    assert asked and [url for url in asked if not re.match("file:|blob:|data:", url)] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_narrow_page_is_not_wider_than_its_window(page: Page, name: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(address(name))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_text_can_be_told_from_its_ground(page: Page, name: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its literals
    page.goto(address(name))
    found = Axe().run(page, context=".md-content", options={"runOnly": ["color-contrast"]})
    assert found.violations_count == 0, found.generate_report()
