"""A folder, a shell and a kernel in which the blocks of one page run."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from docsite import ROOT
from docsite.kernels import Kernel
from docsite.terminal import run

SHOWN = "/home/you"  # what the page shows in place of the temporary folder


class Session:
    """What blocks of one page share: files, the current folder, variables, the kernel."""

    def __init__(self, home: Path, folder: Path, environ: Mapping[str, str]) -> None:
        self.home = home
        self.folder = folder
        self.environ = dict(environ)
        self.kernel: Kernel | None = None

    def console(self, text: str, code: int) -> str:
        """Run the commands of a block and give them with what they printed, as a terminal shows it.

        Raises
        ------
        RuntimeError
            A command failed, or did not fail as it should.
        """
        commands = [each.removeprefix("$ ") for each in text.splitlines() if each.startswith("$ ")]
        shown = []
        for command in commands:
            expected = code if command == commands[-1] else 0
            ended, printed, self.folder, self.environ = run(command, self.folder, self.environ)
            if ended != expected:
                raise RuntimeError(f"{command}: exit code {ended}, not {expected}\n{printed}")
            shown.append(f"$ {command}\n{printed}".rstrip())
        return self._shown("\n".join(shown))

    def cell(self, code: str, *, fails: bool) -> str:
        """Run a cell and give its outputs as HTML.

        Raises
        ------
        RuntimeError
            It failed, or did not fail as it should.
        """
        if self.kernel is None:
            self.kernel = Kernel(self.folder, self.environ)
        failed, html = self.kernel.run(code)
        if failed != fails:
            raise RuntimeError(f"this cell {'failed' if failed else 'did not fail'}:\n{code}\n{html}")
        return self._shown(html)

    def save(self, name: str, text: str) -> None:
        """Save a block as a file in the current folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def _shown(self, text: str) -> str:
        maker = f"{getpass.getuser()}@{socket.gethostname()}"
        return text.replace(str(self.home), SHOWN).replace(maker, "you@here")


@contextmanager
def started(start: str) -> Iterator[Session]:
    """Begin a session in a folder of its own, and end it with everything that it made."""
    with tempfile.TemporaryDirectory(prefix="greynb-site-") as name:
        home = Path(name).resolve()
        session = _STARTS[start](home)
        try:
            yield session
        finally:
            if session.kernel is not None:
                session.kernel.stop()


def _repository(home: Path) -> Session:
    """Begin in a clone with nothing installed; what greynb needs is found without an index."""
    folder = home / "greynb"
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]
    files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in files.split("\0"):
        if (ROOT / name).is_file():  # it may be deleted, and not yet committed
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    needed = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return Session(home, folder, _environ(home, PYTHONPATH=sysconfig.get_path("purelib"), **needed))


def _demo(home: Path) -> Session:
    shutil.copytree(_season(), home / "races", symlinks=True)
    return Session(home, home / "races", _environ(home))


def _empty(home: Path) -> Session:
    (home / "races").mkdir()
    return Session(home, home / "races", _environ(home))


_STARTS = {"repository": _repository, "demo": _demo, "empty": _empty}


def _season() -> Path:
    """Make one season for all pages; it is there until the build ends."""
    with _MAKING:
        if not _SEASONS:
            from greynb.demo.run import build_demo

            _SEASONS.append(tempfile.TemporaryDirectory(prefix="greynb-season-"))
            build_demo(Path(_SEASONS[0].name), races=500)
    return Path(_SEASONS[0].name)


_MAKING = threading.Lock()
_SEASONS: list[tempfile.TemporaryDirectory[str]] = []


def _environ(home: Path, **more: str) -> dict[str, str]:
    """Give the variables of a user who has nothing set."""
    bin_folder = Path(sys.executable).parent
    return {
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TERM": "xterm",
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        **more,
    }
