"""The troubleshooting pages and the source agree: each error has a heading, each heading an error."""

from __future__ import annotations

import sys
from collections import Counter
from textwrap import dedent

import pytest

import greynb
from docsite import troubleshooting
from docsite.raised import raised
from greynb.cli import main
from greynb.errors import DatabaseLocked, UsageError
from greynb.notebook import commands
from greynb.notebook.config import Greynb
from greynb.troubleshooting import explain


def test_each_error_of_the_source_has_its_heading():
    missing = {f"### `{each.text}`  ({each.path}:{each.line})" for each in troubleshooting.without_entry()}
    assert not missing, "write an entry in docs/troubleshooting/ for\n" + "\n".join(sorted(missing))


def test_each_heading_is_the_text_of_an_error():
    stale = {f"{each.page}.md: {each.text}" for each in troubleshooting.without_error()}
    assert not stale, "no error reads so any more:\n" + "\n".join(sorted(stale))


def test_a_message_has_one_entry():
    count = Counter(each.text for each in troubleshooting.messages())
    assert [text for text, times in count.items() if times > 1] == []


def test_headings_that_stand_together_share_what_is_said_and_name_their_class_once():
    page = "### `the database was locked for … s`\n### `stopped`\n\nWait.\n"
    shown = troubleshooting.with_places(page)
    assert shown.startswith("### `the database was locked for … s`\n### `stopped`\n\n")
    assert shown.count("{ .raised }") == 1 and "#greynb.DatabaseLocked" in shown


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("the database was locked for 10 s", "left a transaction open"),
        ("DatabaseLocked: the database was locked for 0.5 s; it may be held by process 7", "Another process"),
        ("QueryError: there is no table 'racse'; did you mean 'races'?", "%greynb tables"),
        ("greynb.toml: contracts.dogs.rows must be a text, not 5", "value of another kind"),
    ],
)
def test_a_message_as_it_is_shown_finds_its_entry(message, said):
    assert said in explain(message).meaning


def test_the_entry_that_fits_most_closely_is_given():
    found = explain("the database was locked for 10 s, by another connection of this process")
    assert found.text == "the database was locked for … s, by another connection of this process"


def test_the_texts_of_others_have_no_entry():
    with pytest.raises(UsageError, match="no message of greynb"):
        explain("ZeroDivisionError: division by zero")


def test_the_command_line_explains_a_message(capsys):
    assert main(["why", "the", "database", "was", "locked", "for", "10", "s"]) == 0
    assert "left a transaction open" in capsys.readouterr().out


def test_a_notebook_explains_its_last_error(monkeypatch):
    error = DatabaseLocked("the database was locked for 10 s", path="/data/stage.db", hint="wait")
    monkeypatch.setattr(sys, "last_value", error, raising=False)
    assert "left a transaction open" in repr(commands.run("why", {}, Greynb()))


def test_without_an_error_a_notebook_says_so(monkeypatch):
    monkeypatch.setattr(sys, "last_value", ValueError("not ours"), raising=False)
    with pytest.raises(UsageError, match="no error of greynb"):
        commands.run("why", {}, Greynb())


@pytest.fixture
def texts(tmp_path):
    """Give the texts that are found in a package with this module."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "errors.py").write_text("class GreynbError(Exception): ...\nclass Bad(GreynbError): ...\n")

    def found(source: str) -> list[str]:
        (package / "module.py").write_text(dedent(source))
        return [each.text for each in raised(package)]

    return found


def test_what_is_filled_in_is_a_gap(texts):
    assert texts("def f(n): raise Bad(f'{n:,} rows of {n!r} are gone')") == ["… rows of … are gone"]


def test_a_choice_is_each_of_its_texts(texts):
    assert texts("def f(x): raise Bad('it is ' + ('one row' if x else f'{x} rows'))") == [
        "it is one row",
        "it is … rows",
    ]


def test_a_text_is_followed_through_names_and_calls(texts):
    source = """
        COMMON = "nothing was run"
        class Worse(Bad): ...
        def refuse(what): raise Worse(f"no: {what}")
        def f(): refuse("the file is gone")
        def g(): refuse(COMMON)
    """
    assert texts(source) == ["no: nothing was run", "no: the file is gone"]


def test_a_text_is_looked_up_in_a_table(texts):
    source = """
        TABLE = {1: ("it is full", None), 2: ("it is empty", "fill it")}
        def f(code):
            message, hint = TABLE[code]
            raise Bad(f"{message} ({code})", hint)
    """
    assert texts(source) == ["it is empty (…)", "it is full (…)"]


def test_a_suggestion_at_the_end_is_no_part_of_the_message(texts):
    source = """
        def f(close):
            raise Bad("there is no such column" + (f"; did you mean {close}?" if close else ""))
    """
    assert texts(source) == ["there is no such column"]


def test_the_text_of_another_program_is_no_message(texts):
    assert texts("def f(error): raise Bad(str(error)) from error") == []


def test_all_public_errors_are_raised_somewhere():
    made = {each.error for each in troubleshooting.all_raised()}
    kinds = {
        name
        for name in greynb.__all__
        if isinstance(value := getattr(greynb, name), type) and issubclass(value, Exception)
    }
    assert kinds <= made
