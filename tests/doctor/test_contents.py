"""Faults of what a database holds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greynb.doctor import Patient, treat
from greynb.doctor.indexes import duplicates
from greynb.doctor.leftovers import bytes_of, counted_pages
from greynb.routing import Settings
from tests.doctor.conftest import change, found, ids


def quiet(_line: str) -> None:
    """What the doctor tells is of no interest here."""


def statistics(path):
    with closing(sqlite3.connect(path)) as con:
        return {row[0] for row in con.execute("SELECT DISTINCT tbl FROM sqlite_stat1")}


def test_tables_without_statistics_are_named_and_the_fix_makes_them(demo, look):
    examination = look()
    finding = found(examination, "no-statistics")
    assert finding.level == "info" and "dog_race_data" in finding.evidence[0]
    treat(examination, quiet)
    assert "dog_race_data" in statistics(demo.staging)
    assert "no-statistics" not in ids(look())


def test_statistics_that_are_off_tenfold_are_old_and_the_fix_renews_them(demo, look):
    change(demo.staging, "ANALYZE", "UPDATE sqlite_stat1 SET stat = '20 2' WHERE tbl = 'dog_race_data'")
    examination = look()
    finding = found(examination, "old-statistics")
    assert finding.level == "warning" and "analyzed with 20" in finding.evidence[0]
    treat(examination, quiet)
    assert "old-statistics" not in ids(look())


def test_free_pages_are_told_with_what_vacuum_would_save(demo, look):
    change(demo.staging, "CREATE TABLE filler AS SELECT zeroblob(5000000) AS b", "DROP TABLE filler")
    finding = found(look(), "free-pages")
    assert "VACUUM would save 5.0 MB" in finding.evidence[0]
    assert finding.mend == "greynb optimize"


def test_an_index_that_another_one_makes_superfluous_is_told_with_the_command(demo, look):
    change(
        demo.staging,
        "CREATE TABLE t (a, b, c, UNIQUE (a, b))",
        "CREATE INDEX prefix ON t (a)",
        "CREATE INDEX same_one ON t (c, b)",
        "CREATE INDEX same_two ON t (C, B)",
        "CREATE UNIQUE INDEX needed ON t (c)",
        "CREATE INDEX descending ON t (a DESC)",
        "CREATE INDEX some ON t (a) WHERE b > 0",
        "CREATE INDEX other_order ON t (a COLLATE NOCASE)",
        "CREATE INDEX computed ON t (lower(a))",
    )
    mend = found(look(), "duplicate-indexes").mend
    assert '%staging DROP INDEX "prefix"' in mend
    assert ('"same_one"' in mend) != ('"same_two"' in mend), "one of the two has to stay"
    for name in ("needed", "descending", "some", "other_order", "computed"):
        assert f'"{name}"' not in mend


COLUMNS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.booleans(), COLUMNS), max_size=6))
def test_after_dropping_what_is_named_every_lookup_still_has_its_index(indexes):
    """Whatever the indexes: what one that goes did, one that stays does, and no rule is lost."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "stage.db"
        made = [
            f"CREATE {'UNIQUE ' * unique}INDEX i{number} ON t ({', '.join(columns)})"
            for number, (unique, columns) in enumerate(indexes)
        ]
        change(path, "CREATE TABLE t (a, b, c)", *made)
        patient = Patient(Settings.from_environ({"STAGING_DB_PATH": str(path)}, Path(folder)))
        mend = "".join(each.mend for each in duplicates(patient))
        patient.close()
    gone = [each for number, each in enumerate(indexes) if f'"i{number}"' in mend]
    kept = [each for number, each in enumerate(indexes) if f'"i{number}"' not in mend]
    for unique, columns in gone:
        assert any(
            other[: len(columns)] == columns and (not unique or (one_key and other == columns))
            for one_key, other in kept
        )


def test_a_chain_of_superfluous_indexes_never_loses_the_last_one(demo, look):
    change(
        demo.staging,
        "CREATE TABLE t (a, b, c)",
        *(f"CREATE INDEX i{number} ON t (a, b, c)" for number in range(3)),
        "CREATE INDEX short ON t (a)",
    )
    mend = found(look(), "duplicate-indexes").mend
    kept = [name for name in ("i0", "i1", "i2") if f'"{name}"' not in mend]
    assert len(kept) == 1 and '"short"' in mend


def test_rows_that_refer_to_nothing_are_counted_per_table(demo, look):
    change(
        demo.staging,
        "CREATE TABLE parents (id INTEGER PRIMARY KEY)",
        "CREATE TABLE children (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parents)",
        "INSERT INTO children VALUES (1, 7), (2, 8), (3, NULL)",
    )
    assert found(look(), "foreign-keys").evidence == ("children: 2 rows refer to nothing",)


def test_keys_that_cannot_be_checked_are_told_apart_with_the_index_that_they_need(demo, look):
    change(
        demo.staging,
        "CREATE TABLE parents (name TEXT)",
        "CREATE TABLE children (id INTEGER PRIMARY KEY, parent TEXT REFERENCES parents(name))",
    )
    finding = found(look(), "foreign-keys")
    assert "children" in finding.evidence[0] and "CREATE UNIQUE INDEX" in finding.mend
    change(demo.staging, "CREATE UNIQUE INDEX by_name ON parents (name)")
    assert "foreign-keys" not in [each.id for each in look().findings]


def test_a_column_of_mixed_types_is_told_with_the_counts(demo, look):
    change(
        demo.staging,
        "CREATE TABLE marks (a NUM, b REAL, c TEXT)",
        "INSERT INTO marks VALUES (1, 1, 'x'), (2.5, 2.5, 'y'), ('scr', 3, x'00'), (NULL, NULL, NULL)",
    )
    lines = found(look(), "mixed-types").evidence
    assert "marks.a (NUM): 1 integers, 1 reals, 1 texts" in lines
    assert "marks.c (TEXT): 2 texts, 1 blobs" in lines
    assert not any("marks.b" in line for line in lines), "whole and other numbers are one kind"


def test_backup_tables_are_told_with_their_bytes_indexes_included(demo, look):
    with closing(sqlite3.connect(demo.staging)) as con:
        taken = con.execute(
            "SELECT sum(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_schema"
            " WHERE tbl_name = 'dog_race_data_backup')"
        ).fetchone()[0]
    finding = found(look(), "backup-tables")
    assert any(line.startswith(f"dog_race_data_backup: {taken / 1e6:,.1f} MB") for line in finding.evidence)
    assert 'DROP TABLE "track_condition_backup_20250724_185411"' in finding.mend


@pytest.mark.parametrize(
    "name", ["races_old", "old_races", "races_bak2", "races_20250724", "Copy_of_races", "tmp_load"]
)
def test_names_of_backups_are_recognized(name, demo, look):
    change(demo.staging, f"CREATE TABLE {name} (a)")
    assert f'"{name}"' in found(look(), "backup-tables").mend


@pytest.mark.parametrize("name", ["gold", "copyright", "template", "threshold", "races_2025"])
def test_names_that_only_look_so_are_left_alone(name, demo, look):
    change(demo.staging, f"CREATE TABLE {name} (a)")
    assert f'"{name}"' not in found(look(), "backup-tables").mend


def test_backup_tables_that_bloat_the_file_are_a_warning(demo, look):
    change(demo.staging, "CREATE TABLE odds_backup AS SELECT zeroblob(70000000) AS b")
    assert found(look(), "backup-tables").level == "warning"


def test_pages_can_be_counted_without_dbstat(demo):
    """They are what dbstat counts, where no value is so long that it has pages of its own."""
    patient = Patient(Settings.current())
    try:
        staging = patient.subject("staging")
        rows = staging.rows(
            "SELECT name, rootpage FROM sqlite_schema"
            " WHERE tbl_name IN ('odds_history', 'dogs', 'race_metadata')"
        )
        roots = {str(name): int(str(root)) for name, root in rows}
        assert counted_pages(staging.still, roots) == bytes_of(staging, list(roots))
    finally:
        patient.close()
