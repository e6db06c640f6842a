"""Full publications, on real files with real processes."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Literal

import duckdb
import pytest

from greynb import publish
from greynb.databases.extension import extension_path
from greynb.databases.generations import generation_at, generations, home_of
from greynb.databases.identifiers import literal
from greynb.databases.snapshot import SnapshotSource
from greynb.errors import DatabaseLocked, MissingDatabase, PublishError, UnreadableDatabase
from greynb.publish import full
from greynb.publish.confirmed import CONFIRMED
from tests.publish import processes
from tests.publish.processes import BALANCE, balance, make_books

LAYOUTS: list[Literal["generations", "plain"]] = ["generations", "plain"]
ODD_NAMES = [
    "with space.db",
    "a'b.db",
    'a"b.db',
    "what?.db",
    "a#b.db",
    "100%41.db",
    "ü-犬.db",
    "no-ending",
    "a.b.c",
]


sync = functools.partial(publish.sync, mode="full")


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    return make_books(tmp_path / "stage.db", wal=True)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "analytics.db"


def names(target: Path) -> set[str]:
    return {each.name for each in home_of(target).iterdir()} - {CONFIRMED}


def rows(path: Path, table: str = "debit") -> int:
    with closing(sqlite3.connect(path)) as con:
        return int(con.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def read(target: Path) -> tuple[str, int]:
    """Id and balance as a cell would read them."""
    source = SnapshotSource(target, shared=False)
    try:
        snapshot = source.acquire()
        found = balance(snapshot.path)
        assert source.still_valid(snapshot)
        return snapshot.id, found
    finally:
        source.close()


def read_by_duckdb(target: Path) -> tuple[str, int]:
    """The same by DuckDB."""
    source = SnapshotSource(target, shared=False)
    try:
        snapshot = source.acquire()
        with duckdb.connect() as con:
            con.execute(f"LOAD {literal(str(extension_path()))}")
            con.execute("SET sqlite_disable_multithreaded_scans = true")
            # DuckDB 1.5.5 takes two tables of the same columns for one (duckdb/duckdb#24781).
            con.execute("SET disabled_optimizers = 'common_subplan'")
            con.execute(f"ATTACH {literal(str(snapshot.path))} AS a (TYPE sqlite, READ_ONLY)")
            con.execute("USE a")
            found = con.execute(BALANCE).fetchone()
        assert source.still_valid(snapshot)
        assert found is not None
        return snapshot.id, int(found[0])
    finally:
        source.close()


# What is published


def test_the_user_path_is_a_symlink_into_the_first_generation(stage: Path, target: Path) -> None:
    result = sync(stage, target, layout="generations")
    assert str(target.readlink()) == ".analytics/current/analytics.db"
    assert target.resolve() == result.path == target.parent / ".analytics/gen-000001/analytics.db"
    assert names(target) == {"current", "gen-000001", "publisher.lock"}
    files = {each.name for each in result.path.parent.iterdir()}
    assert files == {"analytics.db", "analytics.duckdb", "manifest.json"}


def test_the_plain_layout_keeps_a_real_file_that_is_read_as_a_generation(stage: Path, target: Path) -> None:
    for number in (1, 2):
        result = sync(stage, target, layout="plain")
        assert not target.is_symlink()
        assert rows(target) == 400
        assert read(target) == (f"gen-{number:06d}", 0)
        assert result.path.read_bytes() == target.read_bytes()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_version_is_read_only_and_without_side_files(stage: Path, target: Path, layout: str) -> None:
    path = sync(stage, target, layout=layout).path  # type: ignore[arg-type]
    assert path.read_bytes()[18:20] == b"\x01\x01"
    files = list(path.parent.iterdir())
    assert len(files) == 3
    assert all(each.stat().st_mode & 0o777 == 0o444 for each in files)


def test_the_manifest_describes_the_version(stage: Path, target: Path) -> None:
    result = sync(stage, target)
    text = json.loads(result.path.with_name("manifest.json").read_text())
    assert (text["id"], text["mode"], text["target"]) == ("gen-000001", "full", "analytics.db")
    assert text["files"]["analytics.db"]["sha256"] == hashlib.sha256(result.path.read_bytes()).hexdigest()
    mirror = result.path.with_name("analytics.duckdb")
    assert text["files"]["analytics.duckdb"]["sha256"] == hashlib.sha256(mirror.read_bytes()).hexdigest()
    assert text["rows"]["debit"] == 400
    assert text["source"]["path"] == str(stage)
    assert text["source"]["journal_mode"] == "wal"
    assert {each["name"] for each in text["schema"]} >= {"debit", "credit"}
    assert text["census"]["debit"]["rows"] == 400


def test_the_result_says_what_was_done(stage: Path, target: Path) -> None:
    seen: list[tuple[str, float]] = []
    result = sync(stage, target, progress=lambda step, part: seen.append((step, part)))
    assert (result.id, result.mode, result.source, result.target) == ("gen-000001", "full", stage, target)
    assert dict(result.rows) | {"debit": 400, "credit": 400} == dict(result.rows)
    assert result.bytes == result.path.stat().st_size
    first, aside = ["copy", "analyze", "keys", "content"], ["mirror", "check", "hash", "sync"]
    assert list(result.seconds) == [*first, *aside, "switch"]
    assert list(dict.fromkeys(step for step, _ in seen)) == list(result.seconds)
    assert all(0 <= part <= 1 for _, part in seen)
    assert "gen-000001" in str(result)


def test_what_is_in_the_log_is_published_and_staging_stays_as_it_was(stage: Path, target: Path) -> None:
    with closing(sqlite3.connect(stage, isolation_level=None)) as writer:
        writer.execute("INSERT INTO debit VALUES (1000, 5, NULL)")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO debit VALUES (1001, 5, NULL)")
        sync(stage, target)
        writer.execute("ROLLBACK")
        assert writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert rows(target) == 401


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_file_name_can_be_published(tmp_path: Path, name: str, layout: str) -> None:
    folder = tmp_path / f"in {name}"
    folder.mkdir()
    stage = make_books(folder / f"stage {name}")
    sync(stage, folder / name, layout=layout)  # type: ignore[arg-type]
    assert read(folder / name) == ("gen-000001", 0)
    assert rows(folder / name) == 400


def test_values_that_break_a_rule_and_unknown_collations_do_not_stop_a_publication(
    tmp_path: Path, target: Path
) -> None:
    stage = tmp_path / "stage.db"
    with closing(sqlite3.connect(stage)) as con:
        con.create_collation("theirs", lambda a, b: (a > b) - (a < b))
        con.execute("CREATE TABLE t (a INTEGER, b TEXT COLLATE theirs)")
        con.execute("CREATE INDEX i ON t (b)")
        con.execute("CREATE TABLE u (a INTEGER CHECK (a > 5), b TEXT)")
        con.execute("PRAGMA ignore_check_constraints = ON")
        con.execute("INSERT INTO u VALUES (1, CAST(X'ff41' AS TEXT))")
        con.execute("CREATE VIEW broken AS SELECT * FROM gone")
        con.commit()
    result = sync(stage, target)
    assert rows(target, "u") == 1
    assert (result.rows["u"], result.rows["t"]) == (1, None)
    notices = "\n".join(result.notices)
    assert "could not check t" in notices
    assert "CHECK constraint failed in u" in notices


def test_a_broken_rule_is_told_again_when_another_table_changed(stage: Path, target: Path) -> None:
    with closing(sqlite3.connect(stage)) as con:
        con.execute("CREATE TABLE u (a INTEGER CHECK (a > 5))")
        con.execute("PRAGMA ignore_check_constraints = ON")
        con.execute("INSERT INTO u VALUES (1)")
        con.commit()
        for number in range(2):
            con.execute("UPDATE debit SET filler = ? WHERE id = 3", (number,))
            con.commit()
            assert "CHECK constraint failed in u" in sync(stage, target).notices
        con.execute("DELETE FROM u")
        con.commit()
    assert not sync(stage, target).notices


def test_an_empty_database_can_be_published(tmp_path: Path, target: Path) -> None:
    (tmp_path / "stage.db").touch()
    assert sync(tmp_path / "stage.db", target).rows == {}
    assert user_objects(target) == 0


# Versions


def test_numbers_increase_and_two_old_versions_stay(stage: Path, target: Path) -> None:
    for _ in range(5):
        result = sync(stage, target)
    assert result.id == "gen-000005"
    assert [each.number for each in generations(home_of(target))] == [5, 4, 3]


def test_a_plain_analytics_file_is_kept_as_a_version(stage: Path, target: Path) -> None:
    make_books(target, rows=7)
    result = sync(stage, target)
    assert result.id == "gen-000002"
    assert "gen-000001" in result.notices[0]
    assert rows(home_of(target) / "gen-000001/analytics.db") == 7
    assert rows(target) == 400
    sync(stage, target)
    assert rows(home_of(target) / "gen-000001/analytics.db") == 7


def test_the_log_of_a_plain_analytics_file_is_kept_too(stage: Path, target: Path) -> None:
    processes.stop(processes.holding(make_books(target, wal=True, rows=7), "DELETE FROM debit WHERE id = 1"))
    assert Path(f"{target}-wal").exists()
    sync(stage, target, layout="plain")
    assert rows(home_of(target) / "gen-000001/analytics.db") == 6
    assert rows(target) == 400
    assert not Path(f"{target}-wal").exists()


def test_an_analytics_file_that_a_program_has_open_in_wal_is_not_replaced(stage: Path, target: Path) -> None:
    make_books(target, wal=True, rows=7)
    with closing(sqlite3.connect(target)) as other:
        other.execute("SELECT count(*) FROM debit").fetchone()
        with pytest.raises(PublishError, match="in use") as caught:
            sync(stage, target)
        assert caught.value.path is not None
    assert rows(target) == 7
    assert not any(name.startswith((".build", "gen-")) for name in names(target))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_a_cp_wrote_into_the_current_version_is_kept_as_a_version(
    tmp_path: Path, stage: Path, target: Path, layout: Literal["generations", "plain"]
) -> None:
    sync(stage, target, layout=layout)
    target.resolve().chmod(0o644)
    shutil.copyfile(make_books(tmp_path / "other.db", rows=9), target)
    result = sync(stage, target, layout=layout)
    assert result.id == "gen-000003"
    assert rows(home_of(target) / "gen-000002/analytics.db") == 9
    assert rows(target) == 400
    assert names(target) >= {"gen-000002", "gen-000003"}


def test_a_file_put_in_place_of_the_symlink_is_kept_as_a_version(
    tmp_path: Path, stage: Path, target: Path
) -> None:
    sync(stage, target)
    make_books(tmp_path / "other.db", rows=9).replace(target)
    sync(stage, target)
    assert target.is_symlink()
    assert rows(home_of(target) / "gen-000002/analytics.db") == 9
    assert read(target) == ("gen-000003", 0)


def test_the_layout_can_change_both_ways(stage: Path, target: Path) -> None:
    for number, layout in enumerate(["plain", "generations", "plain", "generations"], start=1):
        sync(stage, target, layout=layout)  # type: ignore[arg-type]
        assert target.is_symlink() == (layout == "generations")
        assert read(target) == (f"gen-{number:06d}", 0)


def test_a_symlink_of_the_user_is_followed_and_kept(tmp_path: Path, stage: Path) -> None:
    (tmp_path / "disk").mkdir()
    link = tmp_path / "link.db"
    link.symlink_to("disk/real.db")
    sync(stage, link)
    sync(stage, link)
    assert str(link.readlink()) == "disk/real.db"
    assert read(link) == ("gen-000002", 0)
    assert names(tmp_path / "disk/real.db") >= {"gen-000001", "gen-000002"}


@pytest.mark.parametrize("how", ["same", "symlink", "hard link"])
def test_one_file_for_both_roles_is_nothing_to_copy(stage: Path, target: Path, how: str) -> None:
    if how == "symlink":
        target.symlink_to(stage)
    elif how == "hard link":
        target.hardlink_to(stage)
    result = sync(stage, stage if how == "same" else target)
    assert (result.mode, result.id) == ("none", "")
    assert not home_of(target).exists()


# Refusals, with the old version untouched


def test_a_missing_source_is_an_error_about_staging(tmp_path: Path, target: Path) -> None:
    with pytest.raises(MissingDatabase) as caught:
        sync(tmp_path / "no.db", target)
    assert (caught.value.role, caught.value.path) == ("staging", tmp_path / "no.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"id,box\n" * 300, b"SQLite format 3\0" + b"\x00\x01" * 800])
def test_a_source_that_is_no_database_leaves_analytics_alone(
    tmp_path: Path, stage: Path, target: Path, content: bytes
) -> None:
    sync(stage, target)
    bad = tmp_path / "bad.db"
    bad.write_bytes(content)
    with pytest.raises(UnreadableDatabase) as caught:
        sync(bad, target)
    assert caught.value.role == "staging"
    assert names(target) == {"current", "gen-000001", "publisher.lock"}
    assert read(target) == ("gen-000001", 0)


def test_a_damaged_source_is_not_published(tmp_path: Path, stage: Path, target: Path) -> None:
    sync(stage, target)
    bad = make_books(tmp_path / "bad.db")
    pages = bytearray(bad.read_bytes())
    pages[4096 * 5 : 4096 * 5 + 200] = b"\xee" * 200
    bad.write_bytes(pages)
    with pytest.raises((PublishError, UnreadableDatabase)):
        sync(bad, target)
    assert names(target) == {"current", "gen-000001", "publisher.lock"}
    assert read(target) == ("gen-000001", 0)


def test_a_truncated_source_is_not_published(tmp_path: Path, target: Path) -> None:
    bad = make_books(tmp_path / "bad.db")
    os.truncate(bad, bad.stat().st_size // 2)
    with pytest.raises((PublishError, UnreadableDatabase)):
        sync(bad, target)
    assert not target.exists()


def test_a_target_folder_that_is_missing_or_no_folder_is_an_error(tmp_path: Path, stage: Path) -> None:
    for target in (tmp_path / "no/a.db", stage / "a.db"):
        with pytest.raises(PublishError) as caught:
            sync(stage, target)
        assert caught.value.role == "analytics"
        assert caught.value.path is not None


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_target_folder_is_an_error(tmp_path: Path, stage: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    with pytest.raises(PublishError):
        sync(stage, folder / "a.db")


def test_a_folder_or_a_foreign_file_at_the_target_stays(stage: Path, target: Path) -> None:
    target.mkdir()
    with pytest.raises(PublishError, match="folder"):
        sync(stage, target)
    target.rmdir()
    target.write_text("my notes " * 500)
    with pytest.raises(PublishError, match="not a SQLite"):
        sync(stage, target)
    assert target.read_text().startswith("my notes")


def test_a_hidden_folder_of_something_else_is_left_alone(tmp_path: Path, stage: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/config").touch()
    with pytest.raises(PublishError, match="something else"):
        sync(stage, tmp_path / "git.db")
    assert [each.name for each in (tmp_path / ".git").iterdir()] == ["config"]


def test_two_files_of_one_stem_do_not_share_their_versions(tmp_path: Path, stage: Path) -> None:
    sync(stage, tmp_path / "a.db")
    with pytest.raises(PublishError, match=r"a\.db"):
        sync(stage, tmp_path / "a.sqlite")
    assert read(tmp_path / "a.db") == ("gen-000001", 0)


def test_a_full_disk_is_seen_before_anything_is_written(
    stage: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(target.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(PublishError, match="MB are needed"):
        sync(stage, target)
    assert names(target) == {"publisher.lock"}


def test_a_second_publisher_is_told_who_is_at_work(stage: Path, target: Path) -> None:
    errors: list[str] = []

    def second(step: str, _: float) -> None:
        if step == "check" and not errors:
            with pytest.raises(PublishError) as caught:
                sync(stage, target)
            errors.append(str(caught.value))

    result = sync(stage, target, progress=second)
    assert f"process {os.getpid()}" in errors[0]
    assert result.id == "gen-000001"


@pytest.mark.parametrize(
    "step", ["copy", "check", "analyze", "keys", "content", "mirror", "hash", "sync", "switch"]
)
def test_stopping_at_any_step_leaves_the_old_version_and_no_rubbish(
    stage: Path, target: Path, step: str
) -> None:
    sync(stage, target)

    def stop(now: str, _: float) -> None:
        if now == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync(stage, target, progress=stop)
    assert names(target) == {"current", "gen-000001", "publisher.lock"}
    assert read(target) == ("gen-000001", 0)
    assert sync(stage, target).id == "gen-000002"


def test_an_exclusively_locked_source_ends_in_an_error_and_does_not_hang(
    stage: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(full, "LOCK_TIMEOUT", 0.3)
    source = make_books(stage.with_name("plain.db"))
    holder = processes.holding(source, "BEGIN EXCLUSIVE")
    try:
        with pytest.raises(DatabaseLocked) as caught:
            sync(source, target)
    finally:
        processes.stop(holder)
    assert caught.value.role == "staging"
    assert not target.exists()


# Under fire


@pytest.mark.parametrize("wal", [False, True])
def test_publications_are_whole_while_another_process_commits(
    tmp_path: Path, target: Path, wal: bool
) -> None:
    stage = make_books(tmp_path / "books.db", wal=wal, rows=800)
    writer = processes.booking(stage, pause=0.005)
    try:
        processes.wait_until_changed(stage, 0)
        for _ in range(8):
            assert balance(sync(stage, target).path) == 0
        assert writer.poll() is None
    finally:
        processes.stop(writer)


def test_a_crashed_writer_is_rolled_back_before_its_database_is_published(
    tmp_path: Path, target: Path
) -> None:
    stage = make_books(tmp_path / "books.db")
    processes.crash_in_transaction(stage)
    assert balance(sync(stage, target).path) == 0


def survive(tmp_path: Path, layout: Literal["generations", "plain"], kills: int) -> None:
    """Kill a publisher again and again at random instants, with a writer and readers at work."""
    stage = make_books(tmp_path / "books.db", wal=True, rows=2000)
    target = tmp_path / "analytics.db"
    sync(stage, target, layout=layout)
    writer = processes.booking(stage, pause=0.005)
    seen: dict[str, list[tuple[str, int]]] = {"read": [], "read_by_duckdb": []}
    failed: list[BaseException] = []
    over = threading.Event()

    def reading(how: Callable[[Path], tuple[str, int]]) -> None:
        while not over.is_set():
            try:
                seen[how.__name__].append(how(target))
            except BaseException as error:
                failed.append(error)
                return

    readers = [threading.Thread(target=reading, args=(how,)) for how in (read, read_by_duckdb)]
    for reader in readers:
        reader.start()
    try:
        for kill in range(kills):
            publisher = processes.publishing(stage, target, layout)
            assert publisher.stdout is not None
            publisher.stdout.readline()
            time.sleep(0.001 + 0.013 * (kill % 10))
            processes.stop(publisher)
            assert read(target)[1] == 0
    finally:
        over.set()
        for reader in readers:
            reader.join()
        processes.stop(writer)
    assert not failed
    for found in seen.values():
        assert {torn for _, torn in found} == {0}
        ids = [name for name, _ in found]
        assert ids == sorted(ids)
        assert len(set(ids)) > 1
    result = sync(stage, target, layout=layout)
    assert balance(result.path) == 0
    assert not any(name.startswith(".build") for name in names(target))
    assert len(list(generations(home_of(target)))) == 3


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.slow
def test_a_killed_publisher_leaves_the_old_or_the_new_version(
    tmp_path: Path, layout: Literal["generations", "plain"]
) -> None:
    survive(tmp_path, layout, 5)


@pytest.mark.slow
def test_a_publisher_killed_during_adoption_loses_nothing(tmp_path: Path, stage: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from greynb.publish import sync\n"
        "calls = 0\n"
        "def audit(event, arguments):\n"
        "    global calls\n"
        "    if event in ('os.rename', 'os.link', 'os.symlink', 'os.chmod', 'os.remove', 'os.mkdir'):\n"
        "        calls += 1\n"
        "        if calls == int(sys.argv[3]): os._exit(9)\n"
        "sys.addaudithook(audit)\n"
        "sync(Path(sys.argv[1]), Path(sys.argv[2]), layout=sys.argv[4])\n"
    )
    for layout in LAYOUTS:
        for call in range(1, 40):
            target = tmp_path / f"{layout}-{call}.db"
            make_books(target, rows=7)
            done = subprocess.run(
                [sys.executable, "-c", program, str(stage), str(target), str(call), layout], check=False
            )
            assert rows(target) in (7, 400)
            sync(stage, target, layout=layout)
            assert rows(target) == 400
            kept = [rows(each.database) for each in generations(home_of(target))]
            assert 7 in kept
            assert generation_at(target) is not None
            if done.returncode == 0:
                break
        assert done.returncode == 0


def user_objects(path: Path) -> int:
    with closing(sqlite3.connect(path)) as con:
        found = con.execute("SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite%'").fetchone()
        return int(found[0])
