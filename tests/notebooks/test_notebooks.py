"""Every notebook that ships is clean, runs from top to bottom, and makes a page that stands alone."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import nbformat
import pytest

from greynb.demo import Demo, build_demo, run_demo
from greynb.report import document_of, execute_notebook, save, verify_file
from greynb.report.making import make_reports

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return build_demo(tmp_path_factory.mktemp("demo"), races=300)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_is_valid_and_holds_no_outputs_and_no_paths(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    node = nbformat.reads(text, as_version=4)
    nbformat.validate(node)
    assert (node.nbformat, node.nbformat_minor) == (4, 5)
    assert len({cell.id for cell in node.cells}) == len(node.cells)
    code = [cell for cell in node.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert not re.search(r"[\"' =](/[a-z]+/|[A-Z]:\\\\|~/)", text)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_runs_and_its_page_stands_alone(name: str, built: Demo, tmp_path: Path) -> None:
    demo = build_demo(tmp_path / "own", races=60) if name == "ingest.ipynb" else built
    done = execute_notebook(FOLDER / name, cwd=tmp_path, env=demo.environment)
    save(document_of(done), *(tmp_path / f"page.{suffix}" for suffix in ("html", "pdf", "xlsx", "md")))
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    urls = set(re.findall(r"https?://[^\s\"'<>)]*", html))
    assert urls <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "nan%" not in html and "Traceback" not in html
    assert 3_000 < len(html) < 2_000_000


@pytest.mark.parametrize("name", ["evaluation.ipynb", "report.ipynb"])
def test_every_number_of_its_report_holds_for_the_month_that_was_asked_for(
    name: str, built: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in built.environment.items():
        monkeypatch.setenv(variable, value)
    (made,) = make_reports(name, given=["month=2025-06"], out=tmp_path / "june.html")
    assert "2025-06" in made.read_text(encoding="utf-8")
    verified = verify_file(made)
    assert verified.holds and not verified.edited and len(verified.verdicts) >= 6


def test_without_variables_a_notebook_reads_the_demo_in_its_folder(built: Demo, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    shutil.copy(built.analytics, folder / built.analytics.name)
    shutil.copy(built.staging, folder / built.staging.name)
    empty = dict.fromkeys(("STAGING_DB_PATH", "ANALYTICS_DB_PATH"), "")
    done = execute_notebook(FOLDER / "report.ipynb", cwd=tmp_path, env=empty)
    save(document_of(done), tmp_path / "page.html")
    assert "July 2025" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_without_variables_a_notebook_reads_the_databases_that_are_here(
    built: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in built.environment:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(built.staging.parent)
    (made,) = make_reports("report", out=tmp_path / "here.html")
    assert "July 2025" in made.read_text(encoding="utf-8")


def test_the_demo_ends_in_a_report_of_what_it_made(tmp_path: Path) -> None:
    told: list[str] = []
    report = run_demo(tmp_path / "season", races=120, progress=lambda step, share: told.append(step))
    html = report.read_text(encoding="utf-8")
    assert report == (tmp_path / "season" / "evaluation.html").resolve()
    assert "How good were the predictions?" in html and "gen-000001" in html
    assert html.count("<svg") == 4
    assert {"making the season", "form guides"} <= set(told)
    assert any(step.startswith("evaluation.ipynb: cell 1 of ") for step in told)
