"""What changed between two versions of a lake is counted, and shown row by row."""

from __future__ import annotations

import datetime
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greynb import api
from greynb.cli import main
from greynb.errors import MissingDatabase, PublishError
from greynb.lake.changes import changes
from greynb.publish.changeset import Changes, TableCounts
from greynb.routing import Settings
from tests.lake.conftest import Lake, fill


def counts(found: Changes, table: str) -> tuple[int | None, int | None, int | None]:
    each = table_of(found, table)
    return each.inserted, each.updated, each.deleted


def table_of(found: Changes, table: str) -> TableCounts:
    return next(each for each in found.tables if each.name == table)


@pytest.fixture
def edited(lake: Lake) -> Lake:
    """Two versions."""
    api.sync()
    lake.execute(
        "UPDATE races SET prize = 1, note = 'late' WHERE id IN (3, 4)",
        "DELETE FROM races WHERE id = 5",
        "INSERT INTO races VALUES (9001, 'new', '2025-07-01', 2.5, NULL)",
        "UPDATE tips SET odds = 0 WHERE race_id = 7",
        "INSERT INTO free VALUES (1, x'00ff')",
    )
    api.sync()
    return lake


def test_rows_are_counted_by_their_rowid(edited: Lake) -> None:
    found = api.changes()
    assert (found.old, found.new) == ("lake-000001", "lake-000002")
    assert counts(found, "races") == (1, 2, 1)
    assert counts(found, "free") == (1, 0, 0)


def test_a_row_without_rowid_is_known_by_its_primary_key(edited: Lake) -> None:
    assert counts(api.changes(), "tips") == (0, 1, 0)
    assert api.changed_rows("tips")[["change", "version", "race_id", "odds"]].values.tolist() == [
        ["updated", "before", 7, 7 / 8],
        ["updated", "after", 7, 0.0],
    ]


def test_a_replaced_row_is_an_update_though_its_rowid_moves(lake: Lake) -> None:
    lake.execute(
        "CREATE TABLE dogs (name TEXT PRIMARY KEY NOT NULL, wins INTEGER)",
        "INSERT INTO dogs VALUES ('Ava', 1), ('Bo', 2), ('Cy', 3)",
    )
    api.sync()
    lake.execute("INSERT OR REPLACE INTO dogs VALUES ('Ava', 5), ('Bo', 2), ('Di', 4)")
    api.sync()
    assert counts(api.changes(), "dogs") == (1, 1, 0)
    assert api.changed_rows("dogs")[["change", "name", "wins"]].values.tolist() == [
        ["updated", "Ava", 1],
        ["updated", "Ava", 5],
        ["inserted", "Di", 4],
    ]


@pytest.mark.parametrize(
    ("declared", "before", "after"),
    [
        pytest.param("name PRIMARY KEY", "(1, 1), ('1', 2)", "(1, 1), ('1', 5)", id="two kinds"),
        pytest.param("name TEXT PRIMARY KEY", "(NULL, 1), (NULL, 2)", "(NULL, 1), (NULL, 5)", id="nulls"),
        pytest.param(
            "name TIMESTAMP PRIMARY KEY",
            "('2025-07-01 10:00', 1), ('2025-07-01T10:00', 2)",
            "('2025-07-01 10:00', 1), ('2025-07-01T10:00', 5)",
            id="two spellings",
        ),
    ],
)
def test_keys_that_are_one_in_the_lake_leave_rows_to_their_rowids(
    lake: Lake, declared: str, before: str, after: str
) -> None:
    lake.execute(f"CREATE TABLE dogs ({declared}, wins)", f"INSERT INTO dogs VALUES {before}")
    api.sync()
    lake.execute("DELETE FROM dogs", f"INSERT INTO dogs VALUES {after}")
    api.sync()
    assert counts(api.changes(), "dogs") == (0, 1, 0)


def test_rows_that_nothing_tells_apart_are_deleted_and_inserted(lake: Lake) -> None:
    lake.execute(
        "CREATE TABLE dogs (name PRIMARY KEY, wins) WITHOUT ROWID", "INSERT INTO dogs VALUES (1, 1), ('1', 2)"
    )
    api.sync()
    lake.execute("UPDATE dogs SET wins = 5 WHERE wins = 2")
    api.sync()
    assert counts(api.changes(), "dogs") == (1, 0, 1)
    assert "an update counts as a deletion and an insertion" in str(api.changes())
    assert sorted(api.changed_rows("dogs")["change"]) == ["deleted", "inserted"]


def test_rows_are_shown_before_and_after(edited: Lake) -> None:
    rows = api.changed_rows("races")
    assert list(rows.columns) == ["change", "version", "id", "track", "run_date", "prize", "note"]
    assert rows[["change", "version", "id", "prize"]].values.tolist() == [
        ["updated", "before", 3, 1.0],
        ["updated", "after", 3, 1.0],
        ["updated", "before", 4, 4 / 3],
        ["updated", "after", 4, 1.0],
        ["deleted", "before", 5, 5 / 3],
        ["inserted", "after", 9001, 2.5],
    ]
    assert rows["run_date"].iloc[-1] == datetime.date(2025, 7, 1)
    assert len(api.changed_rows("races", limit=1)) == 2


def test_the_order_of_versions_can_be_chosen(edited: Lake) -> None:
    assert counts(api.changes(2, "lake-000001"), "races") == (1, 2, 1)
    back = api.changed_rows("races", 2, 1)
    assert back["change"].tolist()[-1] == "deleted"
    assert not any(each.changed for each in api.changes(2, 2).tables)


def test_going_back_is_a_change_like_any_other(edited: Lake) -> None:
    api.rollback(1)
    assert counts(api.changes(1), "races") == (0, 0, 0)
    assert counts(api.changes(), "races") == (1, 2, 1)


def test_tables_come_go_and_change_their_columns(lake: Lake) -> None:
    api.sync()
    lake.execute(
        "CREATE TABLE fresh (a)",
        "INSERT INTO fresh VALUES (1), (2)",
        "DROP TABLE tips",
        "ALTER TABLE races ADD COLUMN heat",
        "UPDATE races SET heat = 1, prize = 0 WHERE id = 1",
    )
    api.sync()
    found = api.changes()
    assert {(each.name, each.change) for each in found.schema} == {
        ("fresh", "added"),
        ("tips", "dropped"),
        ("races", "changed"),
    }
    assert counts(found, "fresh") == (2, 0, 0)
    assert counts(found, "tips") == (0, 0, 900)
    assert counts(found, "races") == (0, 1, 0)
    assert len(api.changed_rows("fresh")) == 2


def test_a_column_of_another_type_is_compared_as_text(lake: Lake) -> None:
    lake.execute("UPDATE races SET note = id")
    api.sync()
    lake.execute("UPDATE races SET note = 'x' WHERE id = 1")
    api.sync()
    assert counts(api.changes(), "races") == (0, 1, 0)


def test_a_version_or_a_table_that_is_not_there_is_named(lake: Lake) -> None:
    api.sync()
    with pytest.raises(PublishError, match="no version before lake-000001"):
        api.changes()
    with pytest.raises(MissingDatabase, match="no version lake-000009"):
        api.changes(9)
    lake.execute("DELETE FROM races WHERE id = 1")
    api.sync()
    with pytest.raises(PublishError, match="neither version has a table 'rces'"):
        api.changed_rows("rces")


def test_the_command_prints_them(edited: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["changes"]) == 0
    assert capsys.readouterr().out.startswith("lake-000001 → lake-000002\n")
    assert main(["changes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["old"] == "lake-000001"
    assert main(["changes", "--table", "races", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[-1]["run_date"] == "2025-07-01"
    assert main(["changes", "--table", "free", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["b"] == "00ff"


edits = st.lists(
    st.one_of(
        st.builds("DELETE FROM races WHERE id % {} = 0".format, st.integers(2, 9)),
        st.builds("UPDATE races SET prize = {} WHERE id < {}".format, st.integers(0, 3), st.integers(1, 40)),
        st.builds(
            "INSERT OR REPLACE INTO races (id, note) VALUES ({}, {})".format,
            st.integers(1, 60),
            st.sampled_from(["NULL", 0, 1, 2]),
        ),
    ),
    max_size=4,
)


@settings(max_examples=6, deadline=None)
@given(edits)
def test_counts_equal_those_of_a_comparison_of_all_rows(history: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        lake = Lake(Path(folder))
        fill(lake.staging, races=50)
        patch.setenv("STAGING_DB_PATH", str(lake.staging))
        patch.setenv("ANALYTICS_DB_PATH", f"ducklake:{lake.catalogue}")
        api.sync()
        before = lake.staged("races")
        lake.execute(*history, "INSERT INTO free VALUES (0, 0)")  # else there may be no second version
        api.sync()
        after = lake.staged("races")
        server = Settings.current().route("analytics").lake
        assert server is not None
        assert counts(changes(server), "races") == (
            len(after.keys() - before.keys()),
            sum(before[key] != after[key] for key in before.keys() & after.keys()),
            len(before.keys() - after.keys()),
        )
