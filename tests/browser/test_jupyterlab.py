"""greynb in a real JupyterLab and a real Notebook 7, in a real browser."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.pages import NotebookPage
from tests.browser.server import ROOT

pytestmark = pytest.mark.browser

Opened = Callable[..., NotebookPage]
Picture = Callable[[str], None]


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


SYNCED = "%load_ext greynb\n%greynb sync --mode full\n%greynb sync --mode full"
SLOW = "%%analytics\nSELECT sum(sin(i) * cos(j)) FROM range(300000) a(i), range(300000) b(j)"


def test_a_query_is_seen_running_stops_and_the_next_cell_runs(
    opened: Opened, app: str, picture: Picture
) -> None:
    book = opened("%load_ext greynb", SLOW, "6 * 7", app=app)
    book.run(0)
    expect(book.status).to_contain_text("lag unknown")
    book.run(1)
    expect(book.output(1)).to_contain_text("analytics · ", timeout=20_000)
    expect(book.status).to_contain_text("analytics · ")
    picture(f"running-{app}")
    book.stop.click()
    expect(book.output(1)).to_contain_text("QueryInterrupted", timeout=20_000)
    expect(book.stop).to_have_count(0)
    book.run(2)
    expect(book.output(2)).to_contain_text("42")


def test_the_panel_answers_while_all_cells_run(opened: Opened) -> None:
    book = opened("%load_ext greynb", SLOW)
    book.choose("Run", "Run All Cells")
    expect(book.status).to_contain_text("analytics · ", timeout=20_000)
    book.status.click()
    expect(book.panel).to_contain_text("chosen by ANALYTICS_DB_PATH")
    book.stop.click()
    expect(book.panel).to_contain_text("the query was interrupted")


def test_the_panel_shows_versions_tables_and_queries(
    opened: Opened, axe: Callable[[], list[str]], picture: Picture
) -> None:
    book = opened(SYNCED, "%%analytics\nSELECT venue, count(*) AS races FROM races GROUP BY venue")
    book.run(0)
    expect(book.output(0)).to_contain_text("gen-", timeout=20_000)  # the status is there before
    expect(book.status).to_contain_text("up to date", timeout=20_000)
    book.run(1)
    expect(book.output(1)).to_contain_text("2 rows")
    book.status.focus()
    book.page.keyboard.press("Enter")
    panel = book.panel
    for text in ("analytics.db", "stage.db", "nothing behind staging", "mirror fresh", "GROUP BY venue"):
        expect(panel).to_contain_text(text)
    panel.get_by_text("races", exact=True).first.click()
    expect(panel.get_by_role("table", name="Columns of races")).to_contain_text("race_date")
    assert not axe()
    picture("panel")


def test_versions_are_pinned_and_rolled_back_in_the_panel(opened: Opened) -> None:
    book = opened(SYNCED)
    book.run(0)
    expect(book.output(0)).to_contain_text("gen-", timeout=20_000)  # the status is there before
    expect(book.status).to_contain_text("up to date", timeout=20_000)
    book.status.click()
    pin = book.panel.get_by_role("button", name=re.compile("Pin gen-")).last
    older = str(pin.get_attribute("aria-label")).removeprefix("Pin ")
    pin.click()
    expect(book.status).to_contain_text(f"pinned to {older}")
    book.panel.get_by_role("button", name=f"Unpin {older}").click()
    expect(book.status).not_to_contain_text("pinned")
    back = book.panel.get_by_role("button", name=f"Roll back {older}")
    back.click()
    book.page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(book.panel).not_to_contain_text(f"rollback of {older}")
    back.click()
    book.page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    expect(book.panel).to_contain_text(f"rollback of {older}")


def test_tab_completes_tables_and_columns_with_their_types(
    opened: Opened, app: str, picture: Picture
) -> None:
    book = opened("%load_ext greynb", "%%analytics\nSELECT * FROM races r WHERE r.", app=app)
    book.run(0)
    expect(book.status).to_be_visible()
    book.complete(1)
    expect(book.completer.get_by_role("listitem").filter(has_text="race_date")).to_contain_text("date")
    picture(f"completion-{app}")
    book.page.keyboard.type("ru")
    book.page.keyboard.press("Enter")
    expect(book.editor(1)).to_contain_text("WHERE r.runners")


def test_shift_tab_shows_what_a_table_holds(opened: Opened, picture: Picture) -> None:
    book = opened("%load_ext greynb", "%%staging\nSELECT * FROM races")
    book.run(0)
    expect(book.status).to_be_visible()
    book.enter(1)
    book.page.keyboard.press("Control+End")
    book.page.keyboard.press("Shift+Tab")
    expect(book.page.locator(".jp-Tooltip")).to_contain_text("1 NULL", timeout=20_000)
    picture("inspection")


def test_format_sql_lays_the_cell_out_by_its_shortcut(opened: Opened) -> None:
    book = opened("%load_ext greynb", "%%analytics\nselect venue,count(*) from races -- all\ngroup by venue")
    book.run(0)
    expect(book.status).to_be_visible()
    book.enter(1)
    book.page.keyboard.press("Alt+Shift+F")
    expect(book.editor(1)).to_contain_text("SELECT venue, count(*)")
    expect(book.editor(1)).to_contain_text("-- all")
    book.page.keyboard.press("Control+Z")
    expect(book.editor(1)).to_contain_text("select venue,count(*)")


def test_the_status_comes_back_with_the_page_and_goes_with_the_kernel(opened: Opened, app: str) -> None:
    book = opened("%load_ext greynb", app=app)
    expect(book.status).to_have_count(0)
    book.run(0)
    expect(book.status).to_be_visible()
    book.page.reload()
    expect(book.status).to_be_visible(timeout=60_000)
    book.enter(0)
    book.page.keyboard.press("Escape")
    book.page.keyboard.type("00")
    book.page.get_by_role("dialog").get_by_role("button", name="Confirm Kernel Restart").click()
    expect(book.status).to_have_count(0)
    book.run(0)
    expect(book.status).to_be_visible(timeout=60_000)


def test_everything_can_be_read_on_dark(
    opened: Opened, axe: Callable[[], list[str]], picture: Picture
) -> None:
    book = opened("%load_ext greynb", SLOW)
    book.choose("Settings", "Theme", "JupyterLab Dark")
    expect(book.page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    try:
        book.run(0)
        book.status.click()
        expect(book.panel).to_contain_text("races")
        book.run(1)
        expect(book.stop).to_be_visible()
        assert not axe()
        picture("dark")
    finally:
        book.choose("Settings", "Theme", "JupyterLab Light")
        expect(book.page.locator("body")).to_have_attribute("data-jp-theme-light", "true")


def test_pip_brought_the_extension_of_this_tree() -> None:
    installed = Path(sys.prefix, "share", "jupyter", "labextensions", "greynb")
    files = [path for path in (ROOT / "lab" / "greynb").rglob("*") if path.is_file()]
    assert {installed / path.relative_to(ROOT / "lab" / "greynb") for path in files} == {
        path for path in installed.rglob("*") if path.is_file()
    }
    for path in files:
        assert (installed / path.relative_to(ROOT / "lab" / "greynb")).read_bytes() == path.read_bytes()
