"""Shells complete greynb: commands, options, values, files, versions, tables."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

pexpect = pytest.importorskip("pexpect")

LINES = {
    "greynb rollb": "greynb rollback",
    "greynb sync --no": "greynb sync --no-mirror",
    "greynb sync --mode incr": "greynb sync --mode incremental",
    "greynb rollback ge": "greynb rollback gen-00000",
    "greynb changes --table odds": "greynb changes --table odds_history",
    "greynb archive --table odds_history --date time": "greynb archive --table odds_history --date timestamp",
    "greynb verify anal": "greynb verify analytics.db",
    "greynb report quick": "greynb report quickstart",
    "greynb report x.ipynb --to html,pd": "greynb report x.ipynb --to html,pdf",
    "greynb guard rest": "greynb guard restore",
    "greynb guard -- cat stag": "greynb guard -- cat stage.db",
}


def started(place, words, *setup):
    """A shell on a terminal, after some commands."""
    process = pexpect.spawn(
        *(words[0], words[1:]),
        cwd=place.folder,
        env=place.environ(TERM="dumb"),
        encoding="utf-8",
        timeout=60,
        dimensions=(50, 200),
    )
    for number, line in enumerate(setup):
        process.sendline(
            f"{line}; echo ready''{number}"
        )  # as it is typed, the word is not the one waited for
        process.expect_exact(f"ready{number}")
    return process


@pytest.fixture(scope="module", params=["bash", "zsh"])
def shell(request, place):
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not there")
    words = {"bash": ["bash", "--norc", "-i"], "zsh": ["zsh", "-f", "-i"]}[request.param]
    setup = {
        "bash": ["bind 'set bell-style none'", "bind 'set enable-bracketed-paste off'"],
        "zsh": ["unsetopt zle_bracketed_paste 2>/dev/null", "autoload -U compinit && compinit -D -u"],
    }[request.param]
    process = started(place, words, "PS1='$ '", *setup, f'eval "$(greynb completion {request.param})"')
    yield process
    process.close(force=True)


@pytest.mark.parametrize("line", LINES)
def test_tab_completes(line, shell):
    shell.send(f"{line}\t")
    shell.expect_exact(LINES[line])
    shell.sendcontrol("u")
    shell.sendline("echo next''line")
    shell.expect_exact("nextline")


def test_fish_completes_with_what_each_word_means(place):
    if shutil.which("fish") is None:
        pytest.skip("fish is not there")
    asked = "; ".join(f"echo '= {line}'; complete -C '{line}'" for line in LINES)
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"greynb completion fish | source; {asked}"],
        cwd=place.folder,
        env=place.environ(),
        capture_output=True,
        text=True,
        check=True,
    )
    shown = done.stdout.split("= ")
    for line, block in zip(LINES, shown[1:], strict=True):
        assert any(each.startswith(LINES[line].split()[-1]) for each in block.splitlines()[1:])
    assert "rollback\tpublish an older version of analytics again" in done.stdout


def complete(place, line):
    """What the program answers to the shell, as lines."""
    script = f'exec 8>&1; exec "{sys.executable}" -X importtime -m greynb'
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=place.folder,
        env=place.environ(_ARGCOMPLETE="1", COMP_LINE=line, COMP_POINT=str(len(line)), _ARGCOMPLETE_IFS="\n"),
        capture_output=True,
        text=True,
        check=False,
    )
    return [word.rstrip() for word in done.stdout.splitlines()], done.stderr


@pytest.mark.parametrize("words", ["", "rollback ", "archive --table ", "guard restore ", "report "])
def test_completing_imports_no_heavy_library(words, place):
    found, imported = complete(place, f"greynb {words}")
    assert found
    assert "greynb.cli.completing" in imported  # so that the next line can fail
    for name in ("pandas", "numpy", "duckdb", "pyarrow", "sqlglot", "IPython", "matplotlib"):
        assert f"| {name}\n" not in imported.replace("|  ", "| "), name


def test_the_backups_of_staging_are_completed(place):
    words, _ = complete(place, "greynb guard restore ")
    assert any(word.endswith("-july") for word in words)


def test_hidden_folders_are_completed_only_where_the_word_begins_so(place):
    assert ".analytics/" not in complete(place, "greynb audit ")[0]
    assert ".analytics/" in complete(place, "greynb audit .a")[0]
