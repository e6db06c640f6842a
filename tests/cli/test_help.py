"""The help shows what works, and a wrong call is answered with the right one."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from greynb.cli import main, parser
from greynb.cli.exitcodes import Exit

COMMANDS = next(iter(parser()._subparsers._group_actions)).choices
EXAMPLES = [words for each in (parser(), *COMMANDS.values()) for words, _ in each.examples]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_each_command_has_a_sentence_and_examples_of_it(name, capsys):
    with pytest.raises(SystemExit):
        main([name, "--help"])
    shown = capsys.readouterr().out
    assert COMMANDS[name].description in shown
    assert len(COMMANDS[name].examples) >= 2
    for words, what in COMMANDS[name].examples:
        assert words.startswith(f"greynb {name}") and what
        assert max(map(len, shown.splitlines())) <= 110


@pytest.mark.parametrize("words", EXAMPLES)
def test_each_example_of_the_help_is_a_call_that_the_parser_takes(words):
    _, *given = shlex.split(words.partition(" > ")[0])
    if "--help" not in given:
        assert parser().parse_args(given).run


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_of_each_command_says_what_it_does(name):
    for action in COMMANDS[name]._actions:
        assert action.help, f"{name} {action.dest}"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["sink"], "`greynb sync`"),
        (["staus", "--json"], "`greynb status`"),
        (["sync", "--mode", "ful"], "did you mean full?"),
        (["sync", "--dryrun"], "--dry-run"),
        (["completion"], "bash|zsh|fish"),
        (["completion", "bsh"], "shell takes bash, zsh, fish, not bsh"),
        (["mirror"], "build|status|drop"),
        (["sync", "--kep=3"], "--keep"),
        (["archive", "--tabel", "odds_history"], "--table"),
        (["guard", "--lable", "july", "--", "true"], "--label"),
        (["guard", "list", "--jsn"], "--json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistyped_word_is_answered_with_the_nearest_one(words, meant, place, monkeypatch, capsys):
    monkeypatch.chdir(place.folder)
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == Exit.USAGE
    told = capsys.readouterr().err
    assert meant in told and "Traceback" not in told and len(told.splitlines()) == 2


def test_options_of_a_guarded_command_are_not_taken_for_mistyped_ones(capsys):
    with pytest.raises(SystemExit):
        main(["guard", "--keep", "none", "--", "make", "--keeep"])
    assert "did you mean" not in capsys.readouterr().err


def test_the_help_of_the_program_names_every_exit_code():
    shown = parser().format_help()
    for code in Exit:
        assert f"  {code:<3} {code.meaning}" in shown


def test_the_page_on_the_command_line_names_every_command_and_every_exit_code():
    page = Path(__file__).parents[2].joinpath("docs", "cli.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"`greynb {name}" in page
    for code in Exit:
        assert f"| {code:d} | {code.meaning} |" in page
