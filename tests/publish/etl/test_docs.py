"""The example of docs/etl.md works as it stands there."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from greynb.databases.census import take_census
from greynb.databases.columns import choose
from greynb.demo import season, write_season
from greynb.errors import PublishError
from greynb.publish.etl import Plan, apply, load_plan
from tests.publish.etl.helpers import query

PAGE = Path(__file__).parents[3] / "docs" / "etl.md"
NEWEST = datetime(2025, 6, 29, tzinfo=ZoneInfo("Australia/Melbourne"))


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    for text in re.findall(r"```(?:toml|sql)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S):
        name = text.split("\n", 1)[0].lstrip("-# ")
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = load_plan(tmp_path)
    assert found is not None
    assert len(found.transforms) == 2
    return found


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    path = tmp_path / "copy.db"
    write_season(path, season(120))
    with closing(sqlite3.connect(path)) as con:
        con.execute("PRAGMA journal_mode = DELETE").fetchone()
    return path


def test_the_example_publishes_a_season(plan: Plan, copy: Path) -> None:
    report = apply(copy, plan, now=NEWEST)
    assert set(report.dropped) == {
        "alembic_version",
        "dog_race_data_backup",
        "enhanced_expert_data",
        "track_condition_backup_20250724_185411",
    }
    assert "winners" in report.tables
    assert report.columns == ("dog_race_data.form_guide_json", "race_metadata.url")
    assert [each.file for each in report.transforms] == [
        "transforms/10_distances.sql",
        "transforms/20_winners.sql",
    ]
    assert report.transforms[0].statements[0].rows == 120
    assert len(report.contracts) == 12
    assert len(report.indexes) == 2
    assert any("idx_race_metadata_venue_date does the same" in notice for notice in report.notices)
    assert not [each for each in report.wishes if each.lost]
    with closing(sqlite3.connect(copy)) as con:
        census = take_census(lambda sql: con.execute(sql).fetchall())
    types = {column.name: choose(column) for column in census["dog_race_data"].columns}
    assert types["extraction_timestamp"] == "TIMESTAMP"
    assert types["individual_time"] == "DOUBLE"
    assert types["was_scratched"] == "BOOLEAN"
    distance = next(each for each in census["race_metadata"].columns if each.name == "distance")
    assert choose(distance) == "BIGINT"
    assert json.loads(json.dumps(report.to_dict()))["transforms"][1]["file"] == "transforms/20_winners.sql"
    assert query(copy, "SELECT count(*) FROM winners")[0][0] > 100


def test_the_example_refuses_what_its_contracts_forbid(plan: Plan, copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as con, con:
        con.execute("UPDATE dog_race_data SET box_number = 11 WHERE rowid = 5")
        con.execute("DELETE FROM dog_race_data WHERE race_id = (SELECT max(race_id) FROM race_metadata)")
    with pytest.raises(PublishError) as caught:
        apply(copy, plan, now=NEWEST)
    text = str(caught.value)
    assert "2 of 12 contracts are broken" in text
    assert "dog_race_data.box_number from 1 to 10: outside in 1 rows" in text
    assert "rowid 5, box_number 11" in text
    assert "every race has runners" in text
