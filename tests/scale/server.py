"""A real PostgreSQL server in a temporary folder, on 127.0.0.1 and a free port, stopped by its process id."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg

USER = "greynb"


def programs() -> Path | None:
    """The folder of PostgreSQL's programs, the newest version; None where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda each: int(each.parts[-3]))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).parent if initdb else None


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is so; fails after a time that only a hang takes."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Whether something on this machine accepts connections there."""
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


class PostgresServer:
    """One server; `stop` and `start` it as often as a test likes.

    Attributes
    ----------
    port, password
        Of the user ``greynb``, who owns the cluster.
    """

    def __init__(self, bin_folder: Path) -> None:
        self._bin = bin_folder
        self.port = free_port()
        self.password = secrets.token_urlsafe(12)
        self._folder = Path(tempfile.mkdtemp(prefix="greynb-postgres-"))
        self._data = self._folder / "data"
        secret = self._folder / "password"
        secret.write_text(self.password)
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            for each in (self._folder, secret):
                os.chown(each, user.pw_uid, user.pw_gid)
        self._run(
            *("initdb", "-D", str(self._data), "-U", USER, "--pwfile", str(secret)),
            *("-A", "scram-sha-256", "-E", "UTF8", "--locale", "C", "--no-sync"),
        )
        settings = {
            "listen_addresses": "'127.0.0.1'",
            "port": str(self.port),
            "unix_socket_directories": f"'{self._folder}'",
            "fsync": "off",
            "max_connections": "60",
            "shared_buffers": "64MB",
        }
        with (self._data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())
        self.start()

    def url(self, database: str = "postgres", *, password: str | None = None) -> str:
        return f"postgresql://{USER}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(self.url(database), autocommit=True)

    def database(self) -> str:
        """Make an empty database, and give its name."""
        name = f"races_{secrets.token_hex(4)}"
        with self.connect() as con:
            con.execute(f"CREATE DATABASE {name}")
        return name

    @property
    def pid(self) -> int:
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def start(self) -> None:
        log = str(self._folder / "log")
        self._run("pg_ctl", "start", "-w", "-t", "120", "-D", str(self._data), "-l", log)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT ends its connections, SIGQUIT does without cleaning up."""
        pid = self.pid
        os.kill(pid, how)
        wait_for(lambda: not _runs(pid))

    def save(self) -> Path:
        """Stop the server, copy its files aside as a backup of files would, and start it."""
        self.stop()
        aside = Path(tempfile.mkdtemp(prefix="saved-", dir=self._folder))
        subprocess.run(["cp", "-a", str(self._data), str(aside)], check=True)
        self.start()
        return aside

    def set_back(self, aside: Path) -> None:
        """Stop the server, put files of an earlier time in place of its own, and start it."""
        self.stop()
        shutil.rmtree(self._data)
        (aside / "data").rename(self._data)
        self.start()

    def restart(self) -> None:
        """Stop the server and start it."""
        self.stop()
        self.start()

    def remove(self) -> None:
        with suppress(FileNotFoundError):
            self.stop()
        shutil.rmtree(self._folder)

    def _run(self, program: str, *words: str) -> None:
        # It refuses to run as root.
        other = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        done = subprocess.run(
            [*other, str(self._bin / program), *words],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
        assert done.returncode == 0, f"{program} failed"


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
