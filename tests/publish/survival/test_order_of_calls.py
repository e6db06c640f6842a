"""The order of system calls, as a stand-in for power cuts: what a name leads to is on the disk before it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from tests.publish.processes import make_books
from tests.publish.survival import programs

_CALLS = (
    "openat,write,pwrite64,ftruncate,truncate,fallocate,copy_file_range,sendfile,"
    "fsync,fdatasync,rename,renameat,renameat2,symlink,symlinkat,link,linkat,mkdir,mkdirat"
)
_LINE = re.compile(r"^(?:\d+ +)?(\w+)\((.*)\) += (\d+)")
_DESCRIPTOR = re.compile(r"^\d+<([^>]*)>")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Call:
    """One system call that worked; `paths` are those of its descriptor or its arguments, in order."""

    name: str
    paths: tuple[str, ...]


class Traced:
    """The calls of one publication, in order, with paths relative to the target's folder."""

    def __init__(self, text: str, folder: Path) -> None:
        self.calls = [call for line in text.splitlines() if (call := _parsed(line, folder))]

    def last(self, names: tuple[str, ...], path: str) -> int:
        """The position of the last such call on a path."""
        found = [i for i, call in enumerate(self.calls) if call.name in names and call.paths[0] == path]
        assert found, f"no {names[0]} of {path}"
        return found[-1]

    def first_after(self, names: tuple[str, ...], path: str, position: int) -> int:
        """The position of the first such call on a path behind another one."""
        for i in range(position + 1, len(self.calls)):
            if self.calls[i].name in names and self.calls[i].paths[0] == path:
                return i
        raise AssertionError(f"no {names[0]} of {path} behind {self.calls[position]}")

    def renamed(self, to: str) -> int:
        """The position of the last rename to a name."""
        found = [i for i, call in enumerate(self.calls) if call.name == "rename" and call.paths[-1] == to]
        assert found, f"nothing was renamed to {to}"
        return found[-1]


WRITES = ("write", "pwrite64", "ftruncate", "truncate", "fallocate", "copy_file_range", "sendfile")
SYNC = ("fsync", "fdatasync")


def _parsed(line: str, folder: Path) -> Call | None:
    found = _LINE.match(line)
    if not found:
        return None
    name, arguments, _ = found.groups()
    name = {"renameat": "rename", "renameat2": "rename", "linkat": "link", "symlinkat": "symlink"}.get(
        name, name
    )
    descriptor = _DESCRIPTOR.match(arguments)
    paths = _QUOTED.findall(arguments) if name in ("rename", "link", "symlink", "openat") else []
    if not paths:
        paths = [descriptor[1]] if descriptor else _QUOTED.findall(arguments)
    return Call(name, tuple(each.removeprefix(f"{folder}/") for each in paths)) if paths else None


def trace(folder: Path, mode: str, layout: str) -> Traced:
    """Publish once under strace; skips where processes cannot be traced."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    log = folder / "calls.txt"
    command = [strace, "-f", "-y", "-s", "4096", "-e", f"trace={_CALLS}", "-o", str(log)]
    paths = [str(folder / "stage.db"), str(folder / "analytics.db")]
    done = subprocess.run(
        [*command, sys.executable, "-c", programs.ONCE, *paths, mode, layout],
        capture_output=True,
        text=True,
        check=False,
    )
    if "ptrace" in done.stderr and not done.stdout:
        pytest.skip(f"strace may not trace here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return Traced(log.read_text(errors="replace"), folder)


@pytest.mark.parametrize("mode", ["full", "incremental"])
@pytest.mark.parametrize("layout", ["generations", "plain"])
def test_a_version_is_on_the_disk_before_any_name_leads_to_it(
    tmp_path: Path, mode: Literal["full", "incremental"], layout: Literal["generations", "plain"]
) -> None:
    folder = tmp_path.resolve()
    make_books(folder / "stage.db", wal=True)
    for number in (1, 2):
        if number == 2:
            subprocess.run([sys.executable, "-c", _CHANGE, str(folder / "stage.db")], check=True, timeout=60)
        calls = trace(folder, mode, layout)
        home = ".analytics"
        sealed = calls.renamed(f"{home}/gen-{number:06d}")
        build = calls.calls[sealed].paths[0]
        for name in ("analytics.db", "manifest.json"):
            written = calls.last(WRITES, f"{build}/{name}")
            assert written < calls.first_after(SYNC, f"{build}/{name}", written) < sealed
        assert calls.last(("openat",), f"{build}/manifest.json") < calls.last(SYNC, build) < sealed
        named = calls.first_after(SYNC, home, sealed)
        if layout == "generations":
            switched = calls.renamed(f"{home}/current")
            assert named < switched < calls.first_after(SYNC, home, switched)
        if layout == "plain" or number == 1:
            shown = calls.renamed("analytics.db")
            assert named < shown < calls.first_after(SYNC, str(folder), shown)


_CHANGE = """
import sqlite3, sys
con = sqlite3.connect(sys.argv[1])
con.execute("UPDATE debit SET filler = 'changed' WHERE id % 10 = 3")
con.commit()
con.close()
"""
