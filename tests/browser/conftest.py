"""One server and one browser for all tests, one page for each; the pictures of the documentation."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.pages import NotebookPage
from tests.browser.server import ROOT, Server, jupyter
from tests.notebook.shell import make_databases

numbers = itertools.count(1)
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", action="store_true", help="take the pictures of docs/images anew")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    private = tmp_path_factory.mktemp("private")
    with TemporaryDirectory(prefix="races-") as name:  # a short path, for the pictures
        folder = Path(name)
        with jupyter(folder, private, make_databases(folder)) as running:
            yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    assert CHROMIUM.exists(), "the tests in the browser need Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own; what greynb's JavaScript throws in it fails the test."""
    page = browser.new_page(viewport={"width": 1200, "height": 640})
    thrown: list[str] = []
    page.on("pageerror", lambda error: thrown.append(f"{error}\n{error.stack}"))
    page.on("console", lambda said: thrown.append(said.text) if said.type == "error" else None)
    yield page
    page.close()
    assert not [each for each in thrown if "/extensions/greynb/" in each]


@pytest.fixture(params=["lab", "notebooks"], ids=["JupyterLab", "Notebook 7"])
def app(request: pytest.FixtureRequest) -> str:
    """Both applications, by the first part of their addresses."""
    return str(request.param)


@pytest.fixture
def opened(page: Page, server: Server) -> Iterator[Callable[..., NotebookPage]]:
    """Open a notebook of its own with the given cells; its kernel ends with the test."""

    def opened(*cells: str, app: str = "lab") -> NotebookPage:
        return NotebookPage(page, server, f"races-{next(numbers)}.ipynb", cells, app)

    yield opened
    page.goto("about:blank")
    server.stop_kernels()


@pytest.fixture
def axe(page: Page) -> Callable[[], list[str]]:
    """What axe-core finds serious in the widgets of greynb that are shown now."""

    def found() -> list[str]:
        widgets = {"include": [[".greynb-status"], [".greynb-panel"], [".greynb-magic"]]}
        violations = Axe().run(page, context=widgets).response["violations"]
        return [str(each) for each in violations if each["impact"] in ("serious", "critical")]

    return found


@pytest.fixture
def picture(page: Page, request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Take a picture for the documentation, where the run was asked for them."""

    def taken(name: str) -> None:
        if request.config.getoption("--pictures", default=False):
            shot = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
            shot.quantize(96, dither=Image.Dither.NONE).save(
                ROOT / "docs" / "images" / f"{name}.png", optimize=True
            )

    return taken
