"""Every kind of contract: kept, and broken with the rows named."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from greynb.errors import PublishError
from tests.publish.etl.helpers import applied, database, dump

NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)
RACES = """
CREATE TABLE venues (code TEXT PRIMARY KEY);
CREATE TABLE races (
  id INTEGER PRIMARY KEY, venue TEXT REFERENCES venues (code), number INTEGER,
  distance, day, at, epoch, state TEXT
);
CREATE TABLE keyed (a, b, c, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE VIEW seen AS SELECT venue, distance FROM races;
INSERT INTO venues VALUES ('BEN'), ('WAR');
INSERT INTO races VALUES
  (1, 'BEN', 1, 425, '2025-06-29', '2025-06-29T10:00', 1751191200, 'done'),
  (2, 'BEN', 2, 525.5, '2025-06-30', '2025-06-30 10:00:00', 1751277600, 'done'),
  (3, 'WAR', 1, NULL, '2025-07-20', '2025-06-30 11:00:00.5', 1751281200, NULL),
  (4, NULL, NULL, 600, NULL, '2025-07-01', NULL, '1');
INSERT INTO keyed VALUES ('x', 1, 5), ('y', 2, NULL);
"""

KEPT = [
    "races.rows = {min = 4, max = 4}",
    "races.not_null = ['id', 'at']",
    "races.unique = ['id', ['VENUE', 'number'], ['number', 'venue', 'distance']]",
    "races.range.distance = {min = 425, max = 600.0}",
    "races.range.day = {min = 2025-06-29, max = 2025-07-20}",
    "races.range.at = {max = 2025-07-01}",
    "races.range.at = {min = 2025-06-29T10:00:00, max = 2025-07-01T00:00:00}",
    "races.accepted.state = ['done', '1']",
    "races.accepted.number = [1, 2]",
    "races.fresh.day = {max_age = '36.5 hours'}",
    "races.fresh.at = {max_age = '12h'}",
    "races.fresh.epoch = {max_age = '1.1 days', format = 'unix'}",
    "races.fresh.at = {max_age = '1 day', zone = 'Australia/Melbourne'}",
    "races.foreign_keys = true",
    "seen.not_null = []",
    "seen.unique = ['distance']",
]
BROKEN = [
    ("races.rows = {min = 5}", ["races rows at least 5: it has 4"]),
    ("races.rows = {max = 3}", ["races rows at most 3: it has 4"]),
    ("races.not_null = ['venue']", ["races.venue not null: no value in 1 rows", "rowid 4, venue None"]),
    ("keyed.not_null = ['c']", ["no value in 1 rows", "a 'y', b 2, c None"]),
    ("seen.not_null = ['distance']", ["seen.distance not null: no value in 1 rows", "    distance None"]),
    ("races.unique = ['venue']", ["1 values are in several rows", "venue 'BEN' in 2 rows: rowid 1; rowid 2"]),
    ("seen.unique = ['venue']", ["venue 'BEN' in 2 rows"]),
    ("races.range.distance = {min = 426, max = 599}", ["outside in 2 rows", "rowid 1, distance 425"]),
    ("races.range.state = {min = 0}", ["outside in 3 rows", "rowid 1, state 'done'"]),
    ("races.range.day = {max = 2025-07-19}", ["day at most 2025-07-19: outside in 1 rows", "rowid 3"]),
    ("races.range.at = {min = 2025-06-29T10:00:01}", ["outside in 1 rows", "rowid 1, at '2025-06-29T10:00'"]),
    ("races.range.distance = {min = 2025-01-01}", ["outside in 3 rows"]),
    (
        "races.accepted.state = ['done', 1]",
        ["one of 'done', 1: another value in 1 rows", "rowid 4, state '1'"],
    ),
    ("races.accepted.state = []", ["another value in 3 rows"]),
    ("races.fresh.day = {max_age = '36 hours'}", ["the newest is 2025-06-30 00:00:00, 36.0 hours old"]),
    ("races.fresh.at = {max_age = '11h'}", ["the newest is 2025-07-01 00:00:00, 12.0 hours old"]),
    ("races.fresh.epoch = {max_age = '1 week'}", ["none of its 3 different values is a time until now"]),
    ("races.fresh.state = {max_age = '1 week'}", ["none of its 2 different values is a time"]),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return database(tmp_path / "d.db", RACES)


@pytest.mark.parametrize("contract", KEPT)
def test_a_contract_that_holds_is_reported(path: Path, contract: str) -> None:
    report = applied(path, f"[contracts]\n{contract}", now=NOW)
    assert report.contracts or contract == "seen.not_null = []"


@pytest.mark.parametrize(("contract", "told"), BROKEN, ids=[each[0] for each in BROKEN])
def test_a_broken_contract_names_its_rows(path: Path, contract: str, told: list[str]) -> None:
    before = dump(path)
    if contract.endswith("'36 hours'}"):
        contract = contract.replace("36 hours", "35.9 hours")
    with pytest.raises(PublishError) as caught:
        applied(path, f"[contracts]\n{contract}", now=NOW)
    for each in ["contracts are broken", *told]:
        assert each in str(caught.value)
    assert dump(path) == before


def test_references_that_lead_nowhere_are_named(tmp_path: Path) -> None:
    path = database(tmp_path / "d.db", f"{RACES}; DELETE FROM venues WHERE code = 'WAR'")
    with pytest.raises(PublishError, match=r"1 references lead nowhere\n.*rowid 3 refers to .* venues"):
        applied(path, "[contracts.races]\nforeign_keys = true", now=NOW)


def test_references_that_cannot_be_checked_are_broken(tmp_path: Path) -> None:
    path = database(tmp_path / "d.db", "CREATE TABLE p (a); CREATE TABLE c (a REFERENCES p (a))")
    with pytest.raises(PublishError, match="c foreign keys: foreign key mismatch"):
        applied(path, "[contracts.c]\nforeign_keys = true")


def test_all_broken_contracts_are_told_at_once(path: Path) -> None:
    with pytest.raises(PublishError, match="2 of 3 contracts are broken"):
        applied(path, "[contracts.races]\nrows = {min = 9}\nnot_null = ['id', 'day']", now=NOW)


@pytest.mark.parametrize(
    ("contract", "problem"),
    [
        ("race.rows = {min = 1}", "there is no table race\n  do: did you mean races"),
        ("races.not_null = ['days']", "races has no column days\n  do: did you mean day"),
    ],
)
def test_a_contract_on_nothing_is_an_error(path: Path, contract: str, problem: str) -> None:
    with pytest.raises(PublishError, match=problem):
        applied(path, f"[contracts]\n{contract}")


def test_a_check_returns_no_rows(path: Path) -> None:
    report = applied(path, "[checks]\nfine = 'SELECT * FROM races WHERE id > 9 -- none'")
    assert report.contracts == ('check "fine"',)
    with pytest.raises(PublishError) as caught:
        applied(path, "[checks]\n'no races' = 'SELECT id, venue AS \"at\" FROM races;'")
    assert 'check "no races": it returns more than 3 rows' in str(caught.value)
    assert "    id 2, at 'BEN'\n" in str(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM races",
        "COMMIT",
        "ROLLBACK",
        "ATTACH x AS x",
        "SELECT absent",
        "SELECT * FROM races WHERE id = :x",
    ],
)
def test_a_check_that_cannot_be_run_is_an_error(path: Path, sql: str) -> None:
    before = dump(path)
    with pytest.raises(PublishError, match='the check "c" cannot be run'):
        applied(path, f"[checks]\nc = '{sql}'")
    assert dump(path) == before


def test_ages_count_to_the_present_without_another_time(path: Path) -> None:
    with pytest.raises(PublishError, match="days old"):
        applied(path, "[contracts.races]\nfresh.at = {max_age = '1 week'}")
