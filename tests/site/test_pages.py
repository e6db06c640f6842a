"""What the site is made of: links, blocks that are run, and what is read from the program itself."""

from __future__ import annotations

import argparse
import re

import markdown
import pytest

import greynb
from docsite import ROOT, reference, repository, running, terminal
from greynb.notebook import options
from greynb.routing import settings

LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize(
    "name", ["README.md", "CHANGELOG.md", *(f"docs/{p}" for p in ("mirror.md", "doctor.md"))]
)
def test_links_of_a_file_lead_to_files_and_headings(name):
    """Where the repository is read without the site. The site's own links are checked by its build."""
    page = ROOT / name
    for link in LINK.findall(page.read_text("utf-8")):
        target, _, anchor = link.partition("#")
        if "://" in link:
            continue
        path = (page.parent / target) if target else page
        assert path.exists(), link
        assert not anchor or anchor in anchors(path.read_text("utf-8")), link


def anchors(text: str) -> set[str]:
    made = markdown.Markdown(extensions=["toc", "fenced_code", "attr_list"])
    return set(re.findall(r'id="([^"]+)"', made.convert(text)))


def test_a_link_out_of_the_pages_leads_to_a_page_of_the_file():
    text = repository.within_site(
        "[it](../benchmarks/results/mirror.md#x) `[no](../no.md)`", ROOT / "docs/a.md"
    )
    assert text == "[it](repository/benchmarks/results/mirror.md#x) `[no](../no.md)`"


def test_a_link_of_such_a_page_leads_back():
    text = repository.within_site("[it](docs/mirror.md)", ROOT / "README.md")
    assert text == "[it](../mirror.md)"


def test_a_file_that_is_no_markdown_is_shown_as_code():
    assert repository.place_of(ROOT / "greynb/errors.py") == "repository/greynb/errors.py.md"
    assert repository.file_of("repository/greynb/errors.py.md") == ROOT / "greynb/errors.py"
    assert "````python\n" in repository.page_of(ROOT / "greynb/errors.py")


def test_commands_run_one_after_the_other_in_one_shell():
    page = running.ran("```console run\n$ cd ..\n$ export NAME=here\n$ echo $NAME; pwd\n```\n", "empty")
    assert "$ echo $NAME; pwd\nhere\n/home/you\n```" in page.markdown


def test_a_saved_block_is_a_file():
    block = '```python title="a.py" save\nprint(6 * 7)\n```\n\n```console run\n$ python3 a.py\n```\n'
    assert "$ python3 a.py\n42\n" in running.ran(block, "empty").markdown


def test_a_command_that_fails_stops_the_build():
    with pytest.raises(RuntimeError, match="exit code 3, not 0"):
        running.ran("```console run\n$ exit 3\n```\n", "empty")


def test_a_command_that_should_fail_and_does_not_stops_the_build():
    with pytest.raises(RuntimeError, match="exit code 0, not 3"):
        running.ran("```console run exit=3\n$ true\n```\n", "empty")


def test_cells_share_a_kernel_and_show_what_a_notebook_shows():
    page = running.ran(
        "```python cell\nx = 6\n```\n\n```python cell\nx * 7\n```\n\n```python cell error\nx / 0\n```\n",
        "empty",
    )
    assert page.html[0] == "<pre>42</pre>" and "ZeroDivisionError" in page.html[1]
    assert (
        page.fill('<div class="output" data-output="0"></div>') == '<div class="output"><pre>42</pre></div>'
    )


def test_lines_that_a_program_rewrites_show_as_they_are_left():
    assert (
        terminal.shown("copy  10%\rcopy 100%\r\n\x1b[1mdone\x1b[0m\r\nhash  70%\r\x1b[2Kfailed")
        == "done\nfailed"
    )


def test_each_command_and_option_is_in_the_reference():
    parser = argparse.ArgumentParser(prog="tool")
    commands = parser.add_subparsers()
    inner = commands.add_parser("make", help="makes 100 %% of it", epilog="tool make --fast a|b")
    inner.add_argument("--fast", metavar="WAY", help="one of a|b")
    inner.add_argument("kind", choices=["x", "y"])
    (found,) = reference.documented(parser)
    assert "## tool make" in found and "Makes 100 % of it" in found
    assert "| `--fast WAY` | one of a\\|b |" in found and "`{x,y}`" in found
    assert "```text\ntool make --fast a|b\n```" in found


def test_each_public_name_is_in_the_reference():
    names = re.findall(r"::: greynb\.(\w+)", reference.python() + reference.errors())
    assert sorted([*names, "__version__"]) == sorted(greynb.__all__)


@pytest.mark.parametrize("word", sorted({*options._READING, *options._WRITING}))
def test_each_option_of_cells_is_in_the_reference(word):
    assert f"`{word}" in (ROOT / "docs/reference/cells.md").read_text("utf-8")


@pytest.mark.parametrize("name", settings._VARIABLES)
def test_each_variable_is_in_the_reference(name):
    assert f"`{name}`" in (ROOT / "docs/reference/environment.md").read_text("utf-8")
