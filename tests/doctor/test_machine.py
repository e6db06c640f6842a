"""Faults of the machine: disk, clock, file system, engines."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from greynb.databases.generations import generation_at
from greynb.doctor.machine import judged, network_kind
from tests.doctor.conftest import found, ids

MOUNTS = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
40 27 0:50 / /data rw,relatime shared:1 - nfs4 server:/export/data rw,vers=4.2
41 40 8:17 / /data/local\\040disk rw,relatime - xfs /dev/sdb1 rw
42 27 0:51 / /share rw,relatime master:3 - cifs //server/share rw
43 27 0:52 / /home/me/remote rw,nosuid,nodev - fuse.sshfs me@server: rw
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user cannot mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_without_room_for_the_next_publication_is_an_error(demo, small_disk, look, monkeypatch):
    staging = small_disk / "stage.db"
    shutil.copy(demo.staging, staging)
    monkeypatch.setenv("STAGING_DB_PATH", str(staging))
    finding = found(look(), "disk-full")
    assert finding.level == "error"
    assert str(small_disk) in finding.evidence[0] and "of 17 MB are free" in finding.evidence[0]


def test_a_disk_that_is_almost_full_is_a_warning_unless_it_is_large():
    folder = Path("data")
    assert judged(folder, free=3 << 30, size=100 << 30, needed=1 << 30) == (
        False,
        f"{folder}: 3,221 MB of 107,374 MB are free",
    )
    assert judged(folder, free=1 << 29, size=100 << 30, needed=1 << 30)[0] is True
    assert judged(folder, free=20 << 30, size=1 << 42, needed=1 << 30) is None
    assert judged(folder, free=50 << 30, size=100 << 30, needed=1 << 30) is None


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/data/races.db", "nfs4"),
        ("/data/local disk/races.db", ""),
        ("/database/races.db", ""),
        ("/share/season/races.db", "cifs"),
        ("/home/me/remote/races.db", "fuse.sshfs"),
        ("/home/me/races.db", ""),
    ],
)
def test_the_file_system_of_a_path_is_that_of_its_nearest_mount(path, kind):
    assert network_kind(Path(path), MOUNTS) == kind


def test_this_machines_own_disk_is_no_network(demo):
    mounts = Path("/proc/self/mountinfo")
    if not mounts.exists():
        pytest.skip("only Linux lists its mounts there")
    assert network_kind(demo.staging.resolve(), mounts.read_text()) == ""


def test_a_share_of_windows_is_a_network():
    assert network_kind(Path("\\\\server\\share\\races.db"), "") == "network"


def test_files_from_the_future_are_a_sign_of_a_wrong_clock(demo, look):
    ahead = time.time() + 3600
    os.utime(demo.staging, (ahead, ahead))
    finding = found(look(), "clock-skew")
    assert finding.role == "staging" and " s ahead" in finding.evidence[0]


def test_a_publication_from_the_future_is_one_too(demo, look):
    version = generation_at(demo.analytics)
    manifest = version.folder / "manifest.json"
    manifest.chmod(0o644)
    manifest.write_text(manifest.read_text().replace(version.manifest.created, "2099-01-01T00:00:00+00:00"))
    assert "the publication of gen-000001" in found(look(), "clock-skew").evidence[0]


def test_a_second_of_skew_is_nothing(demo, look):
    ahead = time.time() + 1
    os.utime(demo.staging, (ahead, ahead))
    assert "clock-skew" not in ids(look())


def test_an_extension_of_another_duckdb_is_an_error_with_the_command(demo, tmp_path):
    """The extension's package as another version of it would be installed, before the one that is."""
    package = tmp_path / "site" / "duckdb_extension_sqlite_scanner"
    (package / "extensions" / "v0.10.2").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "extensions" / "v0.10.2" / "sqlite_scanner.duckdb_extension").touch()
    path = os.pathsep.join([str(package.parent), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-m", "greynb", "doctor"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 5, done.stderr
    assert "error: DuckDB and its SQLite extension do not fit [duckdb-extension]" in done.stdout
    assert "v0.10.2" in done.stdout and "pip install duckdb-extension-sqlite-scanner==" in done.stdout
