"""Colours only where a terminal wants them; a closed pipe, a full disk and Ctrl-C end quietly."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from greynb.cli.exitcodes import Exit
from greynb.cli.terminal import in_colour
from tests.cli.conftest import PROGRAM

pexpect = pytest.importorskip("pexpect")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
LATE = 120  # seconds after which a test has failed, not the machine been busy


def on_a_terminal(place, *words, **more):
    """What the program writes to a real terminal, and its exit code."""
    process = pexpect.spawn(
        str(PROGRAM), list(words), cwd=place.folder, env=place.environ(**more), encoding="utf-8", timeout=LATE
    )
    process.expect(pexpect.EOF)
    process.close()
    return process.before, process.exitstatus


CALLS = {
    "help": ["sync", "--help"],
    "a wrong call": ["sink"],
    "a refusal": ["rollback", "77"],
    "doctor": ["doctor"],
    "status": ["status"],
}


@pytest.mark.parametrize("words", CALLS.values(), ids=CALLS)
def test_a_terminal_gets_colours_and_a_pipe_gets_none(words, place):
    shown, _ = on_a_terminal(place, *words)
    assert COLOUR.search(shown)
    piped = place.run(*words)
    assert not COLOUR.search(piped.stdout + piped.stderr)


@pytest.mark.parametrize("more", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"NO_COLOR": "1", "FORCE_COLOR": "1"}])
def test_a_terminal_that_wants_no_colours_gets_none(more, place):
    for name in ("a wrong call", "status"):
        assert not COLOUR.search(on_a_terminal(place, *CALLS[name], **more)[0])


def test_a_dumb_terminal_gets_progress_line_by_line(place):
    shown, code = on_a_terminal(place, "sync", "--mode", "full", "--no-mirror", TERM="dumb")
    assert code == 0 and "\x1b" not in shown and "\r\n" in shown and "\r" not in shown.replace("\r\n", "")


def test_an_error_stands_below_the_progress_that_it_ended(place):
    plan = place.folder / "plan"
    plan.mkdir()
    (plan / "greynb.toml").write_text("[contracts.races]\nrows = { min = 5_000 }\n")
    shown, code = on_a_terminal(place, "sync", "--mode", "etl", "--plan", "plan", NO_COLOR="1")
    assert code == Exit.REFUSED and "etl" in shown
    assert re.search(r"^greynb: ", shown.replace("\r\n", "\n"), re.M)


def test_a_pipe_that_wants_colours_gets_them(place):
    assert COLOUR.search(place.run("status", FORCE_COLOR="1").stdout)
    assert not COLOUR.search(place.run("status", FORCE_COLOR="1", NO_COLOR="1").stdout)


def test_output_for_machines_is_never_coloured(place):
    for words in (["status", "--json"], ["doctor", "--json"], ["status", "--prometheus"], ["route"]):
        assert not COLOUR.search(place.run(*words, FORCE_COLOR="1").stdout)


def test_variables_that_are_empty_say_nothing():
    assert not in_colour(io.StringIO(), {"FORCE_COLOR": ""})
    assert in_colour(io.StringIO(), {"FORCE_COLOR": "1", "NO_COLOR": ""})


@pytest.mark.parametrize("words", [["history"], ["--help"], ["doctor", "--json"]], ids=" ".join)
def test_a_closed_pipe_ends_the_program_as_a_signal_would(words, place):
    reading, writing = os.pipe()
    os.close(reading)  # as `head -1` does when it has seen enough, but surely before anything is written
    done = subprocess.run(
        [PROGRAM, *words],
        cwd=place.folder,
        env=place.environ(),
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (Exit.PIPE_CLOSED, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_output_that_cannot_be_written_is_a_refusal(place):
    done = subprocess.run(
        ["bash", "-c", f'"{PROGRAM}" history > /dev/full'],
        cwd=place.folder,
        env=place.environ(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == Exit.REFUSED
    assert done.stderr == "greynb: the output could not be written: No space left on device\n"


def test_ctrl_c_ends_with_130_and_no_traceback(place):
    started = subprocess.Popen(
        [PROGRAM, "demo", "--races", "100000", "--to", "large"],
        cwd=place.folder,
        env=place.environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stderr and started.stderr.readline()  # it is at work
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=LATE)
    assert started.returncode == Exit.INTERRUPTED
    assert out == "" and err.splitlines()[-1] == "greynb: interrupted"
    assert "Traceback" not in err
