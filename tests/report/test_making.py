"""`greynb report` runs a notebook with the values given, and writes whole reports or none."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from greynb.cli import main
from greynb.errors import UsageError
from greynb.report import NotebookFailed
from greynb.report.making import make_reports

DEFAULTS = 'month = "2025-06"\nlimit = 3'
SHOWS = (
    "from greynb.report import tiles\nimport os\n"
    "tiles([('Month', month), ('Limit', f'{limit + 1}'), ('Folder', os.path.basename(os.getcwd()))])"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a notebook in a folder below it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notebooks").mkdir()
    write(tmp_path / "notebooks" / "month.ipynb", SHOWS)
    return tmp_path


def write(path: Path, *code: str) -> None:
    cells = [
        new_markdown_cell("# The month"),
        new_code_cell(DEFAULTS, metadata={"tags": ["parameters"]}),
        *(new_code_cell(each) for each in code),
    ]
    nbformat.write(new_notebook(cells=cells), path)


def test_a_report_is_made_of_the_defaults_in_the_working_folder(here: Path) -> None:
    (made,) = make_reports("notebooks/month.ipynb")
    html = (here / "month.html").read_text()
    assert made.name == "month.html" and "2025-06" in html and here.name in html
    assert "from greynb.report" not in html


def test_values_are_given_named_under_the_title_and_in_the_file_name(here: Path) -> None:
    make_reports(
        "notebooks/month.ipynb", given=["month=2025-07", "limit=9"], formats=["html", "md"], out=Path("o")
    )
    assert {path.name for path in (here / "o").iterdir()} == {
        *("month_2025-07_9.html", "month_2025-07_9.md", "month_2025-07_9.md.meta.json")
    }
    text = (here / "o" / "month_2025-07_9.md").read_text()
    assert "month 2025-07 · limit 9" in text and "**10**" in text


def test_several_values_make_several_reports_and_an_index(here: Path) -> None:
    told: list[tuple[str, float]] = []
    made = make_reports(
        "notebooks/month.ipynb",
        given=["month=2025-06", "month=2025-07"],
        formats=["html", "pdf"],
        progress=lambda step, share: told.append((step, share)),
    )
    assert [path.name for path in made] == [
        *("index.html", "month_2025-06.html", "month_2025-06.pdf", "month_2025-07.html", "month_2025-07.pdf")
    ]
    index = (here / "index.html").read_text()
    links = re.findall(r'href="([^"#]+)"', index)
    assert links == [path.name for path in made[1:]] and all((here / link).is_file() for link in links)
    assert index.count('class="gn-tile"') == 6
    assert told[0] == ("month.ipynb: cell 1 of 3 (month 2025-06)", 0.0) and told[-1][1] == 1.0


def test_one_file_takes_its_format_from_its_name(here: Path) -> None:
    (made,) = make_reports("notebooks/month.ipynb", out=here / "x.pdf")
    assert made.read_bytes().startswith(b"%PDF") and [path.name for path in here.glob("*.*")] == ["x.pdf"]


def test_code_is_shown_when_asked_for(here: Path) -> None:
    make_reports("notebooks/month.ipynb", show_code=True)
    assert "from greynb.report import tiles" in (here / "month.html").read_text()


def test_a_failing_cell_leaves_no_file_and_is_named_with_the_values(here: Path) -> None:
    write(here / "bad.ipynb", "1 / limit")
    with pytest.raises(NotebookFailed, match=r"cell 3 of the notebook failed, with limit 0") as caught:
        make_reports("bad.ipynb", given=["limit=0"])
    assert "ZeroDivisionError" in str(caught.value)
    assert not list(here.glob("*.html")) and not list(here.glob(".*"))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({"name": "notebooks/none.ipynb"}, "no such notebook"),
        ({"name": "nothing"}, "no notebook nothing.ipynb, neither here"),
        ({"formats": ["docx"]}, "no format 'docx'"),
        ({"given": ["mnth=1"]}, "no parameter mnth"),
        ({"out": Path("x.pdf"), "formats": ["html"]}, "names another format"),
        ({"out": Path("x.pdf"), "given": ["limit=1", "limit=2"]}, "one file for 2 reports"),
    ],
)
def test_a_wrong_call_is_refused_before_anything_runs(here: Path, call: dict[str, object], said: str) -> None:
    write(here / "notebooks" / "month.ipynb", "open('ran', 'w')")
    with pytest.raises(UsageError, match=said):
        make_reports(**{"name": "notebooks/month.ipynb", **call})  # type: ignore[arg-type]
    assert not (here / "ran").exists()


def test_files_that_are_there_are_replaced_only_when_told_to(here: Path) -> None:
    (here / "month.html").write_text("mine")
    write(here / "notebooks" / "month.ipynb", "open('ran', 'w')")
    with pytest.raises(UsageError, match="already there"):
        make_reports("notebooks/month.ipynb")
    assert (here / "month.html").read_text() == "mine" and not (here / "ran").exists()
    make_reports("notebooks/month.ipynb", force=True)
    assert "The month" in (here / "month.html").read_text()


def test_something_that_is_no_notebook_is_refused(here: Path) -> None:
    (here / "x.ipynb").write_text("{not json")
    with pytest.raises(UsageError, match="not a notebook"):
        make_reports("x.ipynb")


def test_the_command_prints_the_files_and_ends_with_0_or_1(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["report", "notebooks/month.ipynb", "--to", "html,md", "--out", "o", "--param", "limit=5"]) == 0
    )
    shown = capsys.readouterr()
    assert [Path(line).name for line in shown.out.split()] == ["month_5.html", "month_5.md"]
    assert "month.ipynb: cell 3 of 3 (limit 5)" in shown.err
    write(here / "bad.ipynb", "raise ValueError('no races')")
    assert main(["report", "bad.ipynb"]) == 1
    shown = capsys.readouterr()
    assert "cell 3 of the notebook failed" in shown.err and "ValueError: no races" in shown.err
    assert "Traceback" not in shown.err and not shown.out


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_leaves_no_file_and_no_kernel(here: Path) -> None:
    write(here / "slow.ipynb", "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(120)")
    command = [sys.executable, "-m", "greynb", "report", "slow.ipynb"]
    process = subprocess.Popen(command, cwd=here, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: (here / "pid").exists() and (here / "pid").read_text() != "")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130 and "interrupted" in said and "Traceback" not in said
    assert not list(here.glob("*.html"))
    kernel = int((here / "pid").read_text())
    wait_until(lambda: not alive(kernel))


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def wait_until(true: object) -> None:
    assert callable(true)
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
