"""Old rows move to Parquet and back, each value as it was."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greynb.archive import archive, archiving, restore
from greynb.archive.cutoff import cutoff
from greynb.cli import main
from greynb.errors import DatabaseError, DatabaseLocked, UsageError
from tests.archive.files import ask, change, make_staging, whole

BEFORE = dt.date(2023, 7, 1)
OLD = "typeof(timestamp) = 'text' AND timestamp < '2023-07-01'"


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    """A staging file."""
    return make_staging(tmp_path / "stage.db")


def moved(staging: Path, folder: Path | None = None, **more: object):
    return archive(staging, "odds_history", "timestamp", BEFORE, folder or staging.parent / "old", **more)


def test_old_rows_leave_the_table_and_all_come_back_the_same(staging):
    before = whole(staging)
    ((old,),) = ask(staging, f"SELECT count(*) FROM odds_history WHERE {OLD}")
    done = moved(staging)
    assert done.rows == old > 20 and done.undated == 2
    assert ask(staging, f"SELECT count(*) FROM odds_history WHERE {OLD}") == [(0,)]
    assert sum(pq.read_metadata(each).num_rows for each in done.files) == old
    restored = restore(staging, staging.parent / "old")
    assert restored.rows == {"odds_history": old}
    assert whole(staging) == before


def test_the_files_are_zstd_and_other_programs_read_plain_columns_in_them(staging):
    first = moved(staging).files[0]
    assert pq.ParquetFile(first).metadata.row_group(0).column(0).compression == "ZSTD"
    table = pq.read_table(first)
    assert table.schema.field("id").type == "int64" and table.schema.field("odds_decimal").type == "double"
    assert all(each.startswith("2021-01") for each in table["timestamp"].to_pylist())


def test_a_dry_run_counts_and_changes_nothing(staging):
    before = staging.read_bytes()
    done = moved(staging, dry_run=True)
    assert sum(done.months.values()) > 20 and not done.files
    assert not (staging.parent / "old").exists() and staging.read_bytes() == before


def test_a_second_archive_finds_nothing_more_and_a_second_restore_puts_nothing_back_twice(staging):
    moved(staging)
    assert moved(staging).rows == 0
    restore(staging, staging.parent / "old")
    before = whole(staging)
    again = restore(staging, staging.parent / "old")
    assert again.rows == {} and again.skipped
    assert whole(staging) == before


def test_rows_can_be_archived_restored_and_archived_again(staging):
    before = whole(staging)
    folder = staging.parent / "old"
    first = moved(staging).rows
    restore(staging, folder)
    assert moved(staging).rows == first
    restore(staging, folder)
    assert whole(staging) == before


def test_one_file_can_be_restored_alone(staging):
    done = moved(staging)
    rows = pq.read_metadata(done.files[0]).num_rows
    assert restore(staging, done.files[0]).rows == {"odds_history": rows}
    assert ask(staging, f"SELECT count(*) FROM odds_history WHERE {OLD}") == [(rows,)]


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
def test_a_database_in_utf_16_gets_its_texts_back(tmp_path, encoding):
    path = tmp_path / "wide.db"
    change(path, f"PRAGMA encoding = '{encoding}'", "CREATE TABLE t (day, x)")
    change(path, "INSERT INTO t VALUES ('2020-01-01', 'é🐕'), ('2020-01-02', x'ff'), ('2020-01-03', 'a')")
    before = whole(path, "t")
    assert archive(path, "t", "day", BEFORE, tmp_path / "old").rows == 3
    restore(path, tmp_path / "old")
    assert whole(path, "t") == before


def test_a_damaged_file_restores_nothing(staging):
    done = moved(staging)
    table = pq.read_table(done.files[0])
    pq.write_table(table.slice(1).replace_schema_metadata(table.schema.metadata), done.files[0])
    before = whole(staging)
    with pytest.raises(DatabaseError, match="other rows than were archived"):
        restore(staging, done.files[0])
    assert whole(staging) == before


def test_a_row_whose_key_was_taken_stops_the_restore_of_its_file_whole(staging):
    done = moved(staging)
    taken = pq.read_table(done.files[0])["id"][0].as_py()
    change(staging, f"INSERT INTO odds_history (id, race_id) VALUES ({taken}, 'new')")
    before = whole(staging)
    with pytest.raises(DatabaseError, match="do not fit into odds_history"):
        restore(staging, done.files[0])
    assert whole(staging) == before


def test_a_table_that_replaces_on_conflict_loses_no_newer_row(staging):
    change(
        staging,
        "CREATE TABLE latest (race TEXT UNIQUE ON CONFLICT REPLACE, day TEXT)",
        "INSERT INTO latest VALUES ('a', '2020-01-01')",
    )
    archive(staging, "latest", "day", BEFORE, staging.parent / "old")
    change(staging, "INSERT INTO latest VALUES ('a', '2026-01-01')")
    with pytest.raises(DatabaseError, match="do not fit"):
        restore(staging, staging.parent / "old")
    assert ask(staging, "SELECT * FROM latest") == [("a", "2026-01-01")]


def test_restoring_into_an_empty_database_makes_the_table(staging, tmp_path):
    done = moved(staging)
    change(tmp_path / "new.db", "CREATE TABLE other (x)")
    assert restore(tmp_path / "new.db", staging.parent / "old").rows == {"odds_history": done.rows}
    assert restore(tmp_path / "new.db", staging.parent / "old").rows == {}


def test_a_backup_from_before_the_archive_gets_no_row_twice(staging, tmp_path):
    with closing(sqlite3.connect(staging)) as con:
        con.execute("VACUUM INTO ?", (str(tmp_path / "backup.db"),))
    moved(staging)
    with pytest.raises(DatabaseError, match="already"):
        restore(tmp_path / "backup.db", staging.parent / "old")


def test_a_column_that_was_added_since_does_not_keep_rows_from_coming_back(staging):
    moved(staging)
    change(staging, "ALTER TABLE odds_history ADD COLUMN source TEXT DEFAULT 'unknown'")
    restore(staging, staging.parent / "old")
    assert ask(staging, f"SELECT DISTINCT source FROM odds_history WHERE {OLD}") == [("unknown",)]


def test_rows_that_change_while_they_are_written_are_read_again(staging, monkeypatch):
    before = whole(staging)
    real, changed = archiving.files.write, []

    def write(path, rows, columns, label):
        real(path, rows, columns, label)
        if not changed:
            changed.append(path)
            change(staging, f"UPDATE odds_history SET race_id = 'changed' WHERE id = {rows[0][0]}")

    monkeypatch.setattr(archiving.files, "write", write)
    moved(staging)
    assert not changed[0].exists()
    restore(staging, staging.parent / "old")
    change(staging, "UPDATE odds_history SET race_id = 'r' || (id - 1) WHERE race_id = 'changed'")
    assert whole(staging) == before


def test_a_full_disk_leaves_the_rows_in_the_table(staging, monkeypatch):
    before = whole(staging)

    def write(path, *_rest):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archiving.files, "write", write)
    with pytest.raises(DatabaseError, match="No space left"):
        moved(staging)
    assert whole(staging) == before
    assert not list((staging.parent / "old").glob("*.part*"))
    monkeypatch.undo()
    assert moved(staging).rows > 20


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("CREATE TABLE child (odds INTEGER REFERENCES odds_history (id) ON DELETE CASCADE)", "foreign key"),
        ("CREATE TRIGGER t AFTER DELETE ON odds_history\nBEGIN SELECT 1; END", "the trigger t"),
    ],
)
def test_a_table_whose_rows_take_others_with_them_is_refused(staging, statement, why):
    change(staging, statement)
    with pytest.raises(UsageError, match=why):
        moved(staging)


def test_a_trigger_on_other_events_is_no_hindrance(staging):
    change(staging, "CREATE TRIGGER t AFTER UPDATE ON odds_history\nBEGIN DELETE FROM odds_history; END")
    assert moved(staging).rows > 20


def test_unknown_tables_and_columns_and_tables_without_rowid_are_refused(staging):
    change(staging, "CREATE TABLE keyed (k TEXT PRIMARY KEY, day TEXT) WITHOUT ROWID")
    for table, column, why in (
        ("nope", "day", "no table"),
        ("odds_history", "day", "no column"),
        ("keyed", "day", "no rowid"),
    ):
        with pytest.raises(UsageError, match=why):
            archive(staging, table, column, BEFORE, staging.parent / "old")


def test_two_archivers_do_not_work_in_one_folder_at_a_time(staging):
    def told(_month, _part):
        with pytest.raises(DatabaseLocked, match="at work in the folder"):
            moved(staging)

    assert moved(staging, told=told).rows > 20


VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(max_size=20),
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=6))
def test_whatever_a_table_holds_comes_back_with_its_storage_classes(tmp_path, rows):
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.db"
    with closing(sqlite3.connect(path)) as con:
        con.execute('CREATE TABLE "an ""odd"" one" (day TEXT, any, "n" NUMERIC, rowid INTEGER)')
        con.executemany('INSERT INTO "an ""odd"" one" VALUES (\'2020-05-01\', ?, ?, ?)', rows)
        con.commit()
    before = whole(path, 'an "odd" one')
    folder = path.with_suffix(".old")
    assert archive(path, 'an "odd" one', "day", BEFORE, folder).rows == len(rows)
    restore(path, folder)
    assert whole(path, 'an "odd" one') == before


@pytest.mark.parametrize(
    ("age", "day"),
    [("3y", "2023-11-26"), ("9mo", "2026-02-26"), ("2w", "2026-11-12"), ("90d", "2026-08-28")],
)
def test_an_age_is_counted_by_the_calendar(age, day):
    assert cutoff(age, dt.date(2026, 11, 26)).isoformat() == day


def test_a_day_that_the_month_lacks_is_its_last_and_other_words_are_refused():
    assert cutoff("1y", dt.date(2024, 2, 29)) == dt.date(2023, 2, 28)
    for age in ("3", "y", "0y", "-1y", "3 years", "9999y"):
        with pytest.raises(UsageError):
            cutoff(age, dt.date(2026, 11, 26))


def test_the_commands_archive_read_and_restore(staging, monkeypatch, capsys):
    monkeypatch.setenv("STAGING_DB_PATH", str(staging))
    before, folder = whole(staging), str(staging.parent / "old")
    age = f"{dt.date.today().year - 2023}y"
    words = ["archive", "--older-than", age, "--table", "odds_history", "--date", "timestamp", "--to", folder]
    assert main([*words, "--dry-run"]) == 0
    assert "rows of odds_history are from before 2023-" in capsys.readouterr().out
    assert main([*words, "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert done["rows"] == sum(done["months"].values()) > 0
    assert main(["restore", folder, "--dry-run"]) == 0
    assert "would go back" in capsys.readouterr().out
    assert main(["restore", folder]) == 0
    assert f"{done['rows']:,} rows are back in odds_history" in capsys.readouterr().out
    assert whole(staging) == before
    typed = ["archive", "--older-than", "1y", "--to", folder]
    assert main([*typed, "--table", "odds_histry", "--date", "timestamp"]) == 1
    assert "did you mean odds_history?" in capsys.readouterr().err
    assert main([*typed, "--table", "odds_history", "--date", "tmestamp"]) == 1
    assert "did you mean timestamp?" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["archive", "--older-than", "soon", *words[3:]])
    assert "is not an age" in capsys.readouterr().err


def test_ctrl_c_keeps_what_is_done_and_says_so(staging, monkeypatch, capsys):
    monkeypatch.setenv("STAGING_DB_PATH", str(staging))
    before, folder = whole(staging), staging.parent / "old"
    real, seen = archiving.files.write, []

    def write(*arguments):
        seen.append(arguments)
        if len(seen) == 3:
            raise KeyboardInterrupt
        real(*arguments)

    monkeypatch.setattr(archiving.files, "write", write)
    words = ["--older-than", "3y", "--table", "odds_history", "--date", "timestamp", "--to", str(folder)]
    assert main(["archive", *words]) == 130
    files = sum(pq.read_metadata(each).num_rows for each in folder.glob("*.parquet"))
    assert f"stopped; {files} rows are archived" in capsys.readouterr().err
    assert not list(folder.glob("*.part"))
    restore(staging, folder)
    assert whole(staging) == before
