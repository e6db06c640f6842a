"""Faults of the files themselves, each made for real."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from greynb.databases.generations import generation_at
from tests.doctor.conftest import change, found, ids
from tests.rights import ROOT_ONLY, as_nobody


def test_a_missing_analytics_file_is_an_error_and_a_sync_mends_it(demo, look):
    demo.analytics.unlink()
    finding = found(look(), "file-missing")
    assert (finding.level, finding.role, finding.mend) == ("error", "analytics", "greynb sync")
    assert "ANALYTICS_DB_PATH" in finding.evidence[1]


def test_a_link_to_a_version_that_is_gone_is_told_as_such(demo, look):
    shutil.rmtree(demo.staging.with_name(".greyhound_racing_data_analytics") / "gen-000001")
    assert "points to" in found(look(), "file-missing").evidence[0]


def test_a_reader_without_staging_by_default_name_is_only_told(demo, look, monkeypatch):
    monkeypatch.delenv("STAGING_DB_PATH")
    demo.staging.unlink()
    finding = found(look(), "file-missing")
    assert (finding.level, finding.role) == ("info", "staging")
    assert not demo.staging.exists(), "looking must not create it"


@ROOT_ONLY
def test_a_file_that_may_not_be_read_is_an_error_with_its_mode(demo, look):
    demo.staging.chmod(0o600)
    with as_nobody(demo.staging.parent):
        finding = found(look(), "file-unreadable")
    assert finding.role == "staging" and "mode 0600" in finding.evidence[1]


@ROOT_ONLY
def test_staging_that_may_be_read_but_not_written_is_an_error(demo, look):
    demo.staging.chmod(0o644)
    with as_nobody(demo.staging.parent):
        examination = look()
    assert {"file-read-only", "folder-read-only"} <= ids(examination, "error")
    assert str(demo.staging.parent) in found(examination, "folder-read-only").evidence[0]


@pytest.mark.skipif(shutil.which("chattr") is None, reason="needs chattr")
def test_a_folder_in_which_no_log_can_be_made_is_an_error(demo, look):
    folder = demo.staging.parent
    if subprocess.run(["chattr", "+i", str(folder)], capture_output=True, check=False).returncode:
        pytest.skip("this user or file system cannot make a folder immutable")
    try:
        examination = look()
    finally:
        subprocess.run(["chattr", "-i", str(folder)], check=True)
    finding = found(examination, "folder-read-only")
    assert "-wal and -shm" in finding.evidence[0]
    assert "no-statistics" in ids(examination), "the content is examined all the same"


def test_an_empty_file_is_a_warning(demo, look):
    demo.analytics.unlink()
    demo.analytics.touch()
    assert found(look(), "file-empty").role == "analytics"


@pytest.mark.parametrize(
    ("content", "name"),
    [(gzip.compress(b"races" * 9999), "gzip"), (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS")],
)
def test_a_file_of_another_kind_is_named(content, name, demo, look):
    demo.staging.write_bytes(content)
    finding = found(look(), "not-sqlite")
    assert finding.level == "error" and name in finding.evidence[0]


def test_a_text_file_is_no_database_and_shown_by_its_beginning(demo, look):
    demo.staging.write_text("race_id,venue\n" * 500)
    examination = look()
    assert "race_id,venue" in found(examination, "not-sqlite").evidence[0]
    assert "encrypted" not in ids(examination)


def test_random_bytes_from_the_first_one_on_are_an_encrypted_file(demo, look):
    demo.staging.write_bytes(random.Random(7).randbytes(8192))
    examination = look()
    assert found(examination, "encrypted").level == "error"
    assert "not-sqlite" not in ids(examination)


def write(path: Path, at: int, content: bytes) -> None:
    """Overwrite a few bytes of a file."""
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


@pytest.mark.parametrize(("at", "content"), [(18, b"\x03\x03"), (44, b"\x00\x00\x00\x05")])
def test_a_format_that_this_sqlite_does_not_know_is_newer_and_not_damaged(at, content, demo, look):
    write(demo.staging, at, content)
    examination = look()
    assert sqlite3.sqlite_version in found(examination, "newer-format").evidence[1]
    assert not {"corrupt", "not-sqlite"} & ids(examination)


def test_a_schema_that_this_sqlite_cannot_parse_is_newer(demo, look):
    change(
        demo.staging,
        "CREATE VIEW later AS SELECT 1",
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET sql = 'CREATE VIEW later AS SELEKT 1 FROM races FANCY JOIN dogs'"
        " WHERE name = 'later'",
    )
    assert "later" in found(look(), "newer-format").evidence[0]


def root_of(path: Path, name: str) -> tuple[int, int]:
    """The root page of a table or index, and the page size."""
    with closing(sqlite3.connect(path)) as con:
        (root,) = con.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", [name]).fetchone()
        return root, con.execute("PRAGMA page_size").fetchone()[0]


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_a_damaged_page_is_found_by_the_integrity_check(mode, demo, look):
    change(demo.staging, f"PRAGMA journal_mode = {mode}")
    root, size = root_of(demo.staging, "odds_history")
    write(demo.staging, (root - 1) * size, b"\xff" * 64)
    finding = found(look(), "corrupt")
    assert finding.role == "staging" and ".recover" in finding.mend


def test_an_index_that_lacks_a_row_is_damage_too(demo, look):
    root, size = root_of(demo.staging, "idx_race_metadata_date")
    other, _ = root_of(demo.staging, "idx_dog_name")
    with demo.staging.open("r+b") as file:
        file.seek((other - 1) * size)
        page = file.read(size)
        file.seek((root - 1) * size)
        file.write(page)
    assert "corrupt" in ids(look(), "error")


def test_a_bit_that_flipped_in_a_published_text_is_found_by_its_hash(demo, look):
    version = generation_at(demo.analytics)
    with closing(sqlite3.connect(version.database)) as con:
        (name,) = con.execute("SELECT max(race_name) FROM race_metadata").fetchone()
    content = version.database.read_bytes()
    at = content.index(name.encode())
    times = version.database.stat()
    version.database.chmod(0o644)
    write(version.database, at, bytes([content[at] ^ 1]))
    version.database.chmod(0o444)
    os.utime(version.database, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert "analytics-written" in ids(look()), "the bytes are not those of the manifest"
    with closing(sqlite3.connect(version.database)) as con:
        assert con.execute("PRAGMA integrity_check").fetchone() == ("ok",), "SQLite does not see it"


def test_damage_in_the_published_file_is_mended_by_publishing_or_going_back(demo, look):
    version = generation_at(demo.analytics).database
    root, size = root_of(version, "odds_history")
    version.chmod(0o644)
    write(version, (root - 1) * size, b"\xff" * 64)
    finding = found(look(), "corrupt")
    assert finding.role == "analytics" and "rollback" in finding.mend


def test_a_rotten_mirror_is_found_by_its_hash(demo, look, tmp_path):
    """As a bad disk would change it: with neither of its times. Here by a manifest that knows these times."""
    version = generation_at(demo.analytics)
    mirror = version.mirror()
    mirror.chmod(0o644)
    write(mirror, mirror.stat().st_size // 2, b"\x55" * 8)
    manifest = version.folder / "manifest.json"
    text = manifest.read_text()
    before, now = version.manifest.files["analytics.duckdb"], mirror.stat()
    for old, new in ((before.mtime_ns, now.st_mtime_ns), (before.ctime_ns, now.st_ctime_ns)):
        text = text.replace(str(old), str(new))
    manifest.chmod(0o644)
    manifest.write_text(text)
    finding = found(look(), "corrupt")
    assert finding.role == "analytics" and "analytics.duckdb" in finding.evidence[0]


def test_ctrl_c_stops_an_examination_soon(demo):
    with closing(sqlite3.connect(demo.staging)) as con:
        con.execute("CREATE TABLE wide AS SELECT randomblob(200) AS a FROM odds_history, dogs LIMIT 400000")
        con.execute("CREATE INDEX wide_a ON wide (a)")
        con.commit()
    program = (
        "import os, signal, sys, threading, time; from greynb.cli import main\n"
        "threading.Timer(0.8, lambda: os.kill(os.getpid(), signal.SIGINT)).start()\n"
        "begun = time.monotonic(); code = main(['doctor']); print(time.monotonic() - begun); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 130 and "interrupted" in done.stderr
    assert float(done.stdout) < 2.5
