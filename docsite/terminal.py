"""One command in a terminal of its own, and what stands in the terminal afterwards."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")
_ENDED = re.compile(r"\S.* 100%")

# The shell tells where it ended and with which variables, so that `cd` and `export` last.
_SCRIPT = '{command}\ncode=$?\n{{ pwd; env -0; }} >"{told}"\nexit $code\n'


def run(command: str, folder: Path, environ: Mapping[str, str]) -> tuple[int, str, Path, dict[str, str]]:
    """Run a command of bash in a terminal.

    Returns
    -------
    tuple
        Its exit code, what the terminal shows, the folder it ended in, and its variables.
    """
    with tempfile.NamedTemporaryFile() as told:
        ours, its = pty.openpty()
        script = _SCRIPT.format(command=command, told=told.name)
        process = subprocess.Popen(
            ["bash", "-c", script],
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,  # nobody is there to answer
            stdout=its,
            stderr=its,
            start_new_session=True,
        )
        os.close(its)
        printed = b"".join(iter(lambda: _read(ours), b""))
        os.close(ours)
        code = process.wait()
        where, _, variables = Path(told.name).read_text("utf-8").partition("\n")
    after = dict(each.split("=", 1) for each in variables.split("\0") if "=" in each)
    return code, shown(printed.decode("utf-8", "replace")), Path(where or folder), after


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the last program has closed it
        return b""


def shown(printed: str) -> str:
    """Give what is left of output that rewrites its lines, without the progress that has ended."""
    lines = (_ESCAPES.sub("", line) for line in printed.replace("\r\n", "\n").split("\n"))
    left = (line.rpartition("\r")[2].rstrip() for line in lines)
    return "\n".join(line for line in left if not _ENDED.fullmatch(line)).rstrip()
