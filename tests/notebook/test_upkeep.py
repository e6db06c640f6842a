"""``%greynb status`` and ``%greynb doctor`` in a notebook: panels, and plain text elsewhere."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from html.parser import HTMLParser

import pytest

import greynb
from greynb import connections
from greynb.errors import UsageError
from tests.notebook.kernel import started
from tests.notebook.shell import make_databases, run, text


@pytest.fixture
def published(shell, tmp_path):
    """A published version beside staging."""
    (tmp_path / "analytics.db").unlink()
    greynb.sync()
    yield shell
    connections.close_all()


def html(shell, captured) -> str:
    """What a notebook shows of a cell's value."""
    data, _ = shell.display_formatter.format(captured.result)
    return data["text/html"]


class Balanced(HTMLParser):
    """Refuses tags that are not closed in order, and anything that loads or runs."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        assert tag not in ("script", "link", "style", "img", "iframe")
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def check(page: str) -> None:
    parser = Balanced()
    parser.feed(page)
    assert not parser.open


def test_the_status_is_a_panel_in_a_notebook_and_text_elsewhere(published, tmp_path):
    shown = run(published, "%greynb status")
    page = html(published, shown)
    check(page)
    for part in ("stage.db", str(tmp_path), "ANALYTICS_DB_PATH (environment)", "gen-000001", "mirror fresh"):
        assert part in page
        assert part in text(shown)


def test_a_status_of_greynbs_function_is_shown_as_a_panel_too(published):
    assert "<table>" in html(published, run(published, "import greynb; greynb.status()"))


def test_the_status_is_an_object_to_work_with(published):
    run(published, "now = %greynb status")
    assert published.user_ns["now"].lag.seconds == 0


def test_odd_names_are_text_in_the_panel(shell, tmp_path, monkeypatch):
    monkeypatch.setenv("STAGING_DB_PATH", str(tmp_path / "<b>&stage.db"))
    page = html(shell, run(shell, "%greynb status"))
    check(page)
    assert "&lt;b&gt;&amp;stage.db" in page and "not there yet" in page


def test_who_is_at_work_is_in_the_panel(published, tmp_path):
    with closing(sqlite3.connect(tmp_path / "stage.db", isolation_level=None)) as con:
        con.execute("BEGIN IMMEDIATE")
        assert "writing: process" in html(published, run(published, "%greynb status"))


def test_the_doctor_answers_with_a_panel_whose_errors_are_open(published, tmp_path):
    (tmp_path / "analytics.db").unlink()
    shown = run(published, "%greynb doctor")
    page = html(published, shown)
    check(page)
    assert "<details open><summary><b>error</b>: the file is not there · analytics" in page
    assert "error: the file is not there · analytics [file-missing]" in text(shown)


def test_the_doctor_prints_each_fix_and_gives_what_is_left(published, tmp_path):
    with closing(sqlite3.connect(tmp_path / "stage.db")) as con:
        con.execute("PRAGMA journal_mode = DELETE")
    shown = run(published, "left = %greynb doctor --fix")
    assert shown.stdout.index("not-wal: switch") < shown.stdout.index("done: the database is in WAL now")
    assert "not-wal" not in {each.id for each in published.user_ns["left"].findings}
    assert "nothing that --fix may mend" in run(published, "%greynb doctor --fix").stdout


def test_cells_go_on_after_an_examination(published):
    run(published, "%%analytics before\nSELECT count(*) AS n FROM races")
    run(published, "%greynb doctor")
    run(published, "%%staging\nINSERT INTO races VALUES ('z', 'BAL', '2025-07-09', 8)")
    run(published, "%%analytics after\nSELECT count(*) AS n FROM races")
    assert published.user_ns["before"]["n"][0] == published.user_ns["after"]["n"][0] == 4


def test_another_word_is_refused(published):
    with pytest.raises(UsageError, match="--fix"):
        run(published, "%greynb doctor --now")


def test_a_command_of_the_terminal_is_named_as_such(shell):
    with pytest.raises(UsageError, match="command of the terminal") as refused:
        run(shell, "%greynb optimize --dry-run")
    assert refused.value.hint == "!greynb optimize --dry-run"


def test_unloading_takes_the_panels_away(shell):
    formatter = shell.display_formatter.formatters["text/html"]
    shell.run_line_magic("greynb", "status")
    shell.run_line_magic("unload_ext", "greynb")
    try:
        assert formatter(greynb.status()) is None
    finally:
        shell.run_line_magic("load_ext", "greynb")


@pytest.mark.slow
def test_in_a_real_kernel_the_doctor_shows_its_panel(tmp_path):
    lines = [f"{name}={path}" for name, path in make_databases(tmp_path).items()]
    (tmp_path / ".env").write_text("\n".join(lines), encoding="utf-8")
    with started(tmp_path) as kernel:
        assert kernel.run("%load_ext greynb").error is None
        reply = kernel.run("%greynb doctor")
        assert reply.error is None
        assert "staging is not in WAL" in reply.shown("text/html")[-1]
        assert "[not-wal]" in reply.shown()[-1]
        fixed = kernel.run("%greynb doctor --fix")
        assert "done: the database is in WAL now" in fixed.stdout
