"""A real JupyterLab (and Notebook 7) on this machine, with the labextension of the working tree."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Server:
    """A running server: its address, its token, and the folder of its notebooks."""

    url: str
    token: str
    folder: Path

    def page(self, path: str) -> str:
        """The address of a page, with the token."""
        return f"{self.url}/{path}?token={self.token}"

    def stop_kernels(self) -> None:
        """End every kernel that runs."""
        for kernel in json.loads(self._api("GET", "api/kernels")):
            self._api("DELETE", f"api/kernels/{kernel['id']}")

    def _api(self, method: str, path: str) -> bytes:
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(f"{self.url}/{path}", method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return bytes(answer.read())


@contextmanager
def jupyter(folder: Path, private: Path, environment: Mapping[str, str], *options: str) -> Iterator[Server]:
    """Start a server over a folder; its settings are in a folder of their own, none of the user's count."""
    port, token = _free_port(), secrets.token_hex(16)
    homes = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "XDG_CACHE_HOME")
    command = [
        *(sys.executable, "-m", "jupyterlab", "--allow-root", "--no-browser"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *(f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}"),
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        *(option for app in ("LabApp", "JupyterNotebookApp") for option in _application(app, private)),
        *options,
    ]
    env = {
        **os.environ,
        **environment,
        "PYTHONPATH": str(ROOT),
        **{name: str(private / name) for name in homes},
    }
    with (private / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log)
    server = Server(f"http://127.0.0.1:{port}", token, folder)
    try:
        _wait_until_up(server, process, private / "server.log")
        yield server
    finally:
        process.terminate()
        process.wait(30)


def _application(name: str, private: Path) -> Iterator[str]:
    settings = private / name / "settings"
    quiet = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True)
    quiet.write_text('{"checkForUpdates": false, "fetchNews": "false"}')  # no question about news
    yield f"--{name}.workspaces_dir={private / name / 'workspaces'}"
    yield f"--{name}.user_settings_dir={settings}"
    yield f"--{name}.extra_labextensions_path={ROOT / 'lab'}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_up(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(log.read_text())
        try:
            urllib.request.urlopen(server.page("api/status"), timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(log.read_text())
