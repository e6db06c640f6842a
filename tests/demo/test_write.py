"""The staging file of a demo has the collector's tables, types and constraints."""

from __future__ import annotations

import csv
import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import pytest

from greynb.demo import build_demo, season, write_season
from greynb.errors import UsageError

COLLECTOR = Path(__file__).parents[3] / "shared" / "data" / "collector_columns.csv"


@pytest.fixture(scope="module")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("season") / "stage.db"
    write_season(path, season(120))
    return path


@pytest.mark.skipif(not COLLECTOR.exists(), reason="the collector's columns are not beside the checkout")
def test_tables_have_exactly_the_columns_that_the_collector_declares(staging: Path) -> None:
    declared: dict[str, list[tuple[str, str, int, int]]] = defaultdict(list)
    with COLLECTOR.open(newline="") as file:
        for row in csv.DictReader(file):
            facts = (row["column"], row["declared_type"], int(row["not_null"]), int(row["primary_key"]))
            declared[row["table"]].append(facts)
    with closing(sqlite3.connect(staging)) as con:
        tables = [name for (name,) in con.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            have = [(row[1], row[2], row[3], row[5]) for row in con.execute(f'PRAGMA table_info("{table}")')]
            assert have == declared[table], table
    assert len(tables) >= 12


def test_the_timestamp_declared_num_holds_iso_text(staging: Path) -> None:
    with closing(sqlite3.connect(staging)) as con:
        kinds = con.execute("SELECT DISTINCT typeof(extraction_timestamp) FROM dog_race_data").fetchall()
    assert kinds == [("text",)]


def test_missing_values_are_null_and_numbers_are_numbers(staging: Path) -> None:
    with closing(sqlite3.connect(staging)) as con:
        kinds = con.execute(
            "SELECT DISTINCT typeof(finish_position) FROM dog_race_data ORDER BY 1"
        ).fetchall()
        assert kinds == [("integer",), ("null",)]
        prices = con.execute(
            "SELECT DISTINCT typeof(starting_price) FROM dog_race_data ORDER BY 1"
        ).fetchall()
        assert prices == [("null",), ("real",)]
        blobs = con.execute("SELECT count(*) FROM race_metadata WHERE typeof(race_number) <> 'integer'")
        assert blobs.fetchone() == (0,)


def test_an_existing_file_is_never_overwritten(staging: Path) -> None:
    before = staging.read_bytes()
    with pytest.raises(FileExistsError):
        write_season(staging, season(1))
    assert staging.read_bytes() == before


def test_progress_names_the_tables_and_ends_at_one(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    write_season(tmp_path / "stage.db", season(20), lambda step, done: told.append((step, done)))
    assert {"race_metadata", "predictions"} <= {step for step, _ in told}
    assert [done for _, done in told] == sorted(done for _, done in told)
    assert told[-1][1] == 1.0


def test_a_demo_can_be_built_again_in_its_folder(tmp_path: Path) -> None:
    first = build_demo(tmp_path / "demo", races=20)
    second = build_demo(tmp_path / "demo", races=30)
    assert first == second
    with closing(sqlite3.connect(second.analytics)) as con:
        assert con.execute("SELECT count(*) FROM race_metadata").fetchone() == (30,)
    assert len(list(second.form_guides.glob("*.csv"))) == 24


def test_a_demo_does_not_touch_databases_that_no_demo_made(tmp_path: Path) -> None:
    mine = tmp_path / "greyhound_racing_data_stage.db"
    mine.write_bytes(b"mine")
    with pytest.raises(UsageError, match="no demo made it"):
        build_demo(tmp_path, races=5)
    assert mine.read_bytes() == b"mine"
