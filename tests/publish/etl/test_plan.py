"""Reading greynb.toml: found upwards, checked in full, with errors that say what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greynb.errors import PublishError
from greynb.publish.etl import load_plan
from greynb.publish.etl.patterns import column_matches, matches
from tests.publish.etl.helpers import plan_of


def test_the_nearest_plan_upwards_is_taken(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "greynb.toml").write_text("vacuum = false")
    (inner.parent / "pyproject.toml").write_text("[tool.other]\nx = 1")
    plan = load_plan(inner)
    assert plan is not None
    assert (plan.file, plan.vacuum) == (tmp_path / "greynb.toml", False)
    (inner.parent / "pyproject.toml").write_text("[tool.greynb]\nanalyze = false")
    plan = load_plan(inner)
    assert plan is not None
    assert (plan.file.name, plan.vacuum, plan.analyze) == ("pyproject.toml", True, False)


def test_without_a_plan_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'")
    assert load_plan(tmp_path) is None


def test_a_broken_pyproject_of_somebody_else_is_not_our_trouble(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project\n")
    assert load_plan(tmp_path) is None
    (tmp_path / "pyproject.toml").write_text("[tool.greynb\n")
    with pytest.raises(PublishError, match=r"not TOML.*line 1"):
        load_plan(tmp_path)


WRONG = [
    (
        "[tables]\nexlude = []",
        "tables.exlude is not known; allowed: exclude, include",
        "did you mean exclude?",
    ),
    ("[table]\n", "table is not known", "did you mean tables?"),
    ("vacuum = 1", "vacuum must be true or false, not 1", ""),
    ("[tables]\nexclude = 'x'", "tables.exclude must be a list of texts", ""),
    ("[tables]\nexclude = ['x', 3]", "tables.exclude.1 must be a text, not 3", ""),
    ("[columns]\ndrop = ['url']", 'columns.drop.0 must be a column as in "table.column"', ""),
    ("transforms = 'nowhere'", "transforms names the folder 'nowhere', which does not exist", ""),
    ("transforms = ['nowhere/*.sql']", "a pattern that no file fits: 'nowhere/*.sql'", ""),
    ("[types]\nstamp = 'timestamp'", "types.stamp must be named as in", ""),
    ("[types]\n'a.b' = 'timestmap'", 'types."a.b" must be one of timestamp, date', "did you mean timestamp?"),
    ("[types]\na.b = {typ = 'date'}", "types.a.b.typ is not known", "did you mean type?"),
    ("[types]\na.b = {max_lost = 1}", "types.a.b must have a type", ""),
    ("[types]\na.b = {type = 'date', max_lost = -1}", "max_lost must be a whole number from 0", ""),
    ("[types]\na.b = {type = 'real', format = '%d'}", "format is for dates and timestamps, not for real", ""),
    ("[types]\na.b = {type = 'timestamp', zone = 'Mars/Base'}", "zone must be a time zone", ""),
    ("[types]\na.b = {type = 'timestamp', format = 'unix'}", "needs a zone", ""),
    ("[indexes]\nt = 'a'", "indexes.t must be a list of columns", ""),
    ("[indexes]\nt = [[]]", "indexes.t.0 must be at least one column", ""),
    ("[contracts.t]\nnot_nul = []", "contracts.t.not_nul is not known", "did you mean not_null?"),
    ("[contracts.t]\nrows = {}", "contracts.t.rows must have a min or a max", ""),
    ("[contracts.t]\nrows = {min = 2, max = 1}", "contracts.t.rows has a min above its max", ""),
    ("[contracts.t]\nrange.x = {min = 'a'}", "range.x.min must be a number, a date", ""),
    ("[contracts.t]\nrange.x = {min = 1, max = 2020-01-01}", "of different kinds", ""),
    ("[contracts.t]\nrange.x = {min = 2020-01-01T00:00:00Z}", "must have no zone", ""),
    ("[contracts.t]\naccepted.x = [nan]", "accepted.x.0 must be a text or a number", ""),
    ("[contracts.t]\nfresh.x = {}", "fresh.x must have a max_age", ""),
    ("[contracts.t]\nfresh.x = {max_age = 'soon'}", "max_age must be a duration", ""),
    ("[checks]\na = 'SELECT 1; SELECT 2'", "checks.a must be one SQL statement", ""),
    ("checks = 3", "checks must be a table of keys, not 3", ""),
]


@pytest.mark.parametrize(("text", "problem", "hint"), WRONG, ids=[each[1][:40] for each in WRONG])
def test_a_mistake_is_named_with_its_file_and_key(tmp_path: Path, text: str, problem: str, hint: str) -> None:
    with pytest.raises(PublishError) as caught:
        plan_of(tmp_path, text)
    assert str(tmp_path / "greynb.toml") in str(caught.value)
    assert problem in str(caught.value)
    assert hint in str(caught.value)


def test_transforms_are_sorted_within_each_pattern_and_run_once(tmp_path: Path) -> None:
    for name in ("a/2.sql", "a/1.sql", "b/1.sql", "a/x.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    plan = plan_of(tmp_path, "transforms = ['b/*.sql', '*/*.sql']")
    assert [plan.name_of(path) for path in plan.transforms] == ["b/1.sql", "a/1.sql", "a/2.sql"]
    plan = plan_of(tmp_path, "transforms = 'a'")
    assert [plan.name_of(path) for path in plan.transforms] == ["a/1.sql", "a/2.sql"]


def test_the_digest_changes_with_the_plan_and_with_its_transforms(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "1.sql").write_text("SELECT 1")
    first = plan_of(tmp_path, "transforms = 't'").digest()
    assert plan_of(tmp_path, "transforms = 't'").digest() == first
    (tmp_path / "t" / "1.sql").write_text("SELECT 2")
    second = plan_of(tmp_path, "transforms = 't'").digest()
    third = plan_of(tmp_path, "transforms = 't'\nvacuum = false").digest()
    assert len({first, second, third}) == 3


NAMES = st.text(min_size=1)
PLAIN = NAMES.filter(lambda name: not set(name) & set("*?["))


@given(NAMES, NAMES)
def test_every_name_fits_itself_and_the_star(table: str, column: str) -> None:
    assert matches(table, table)
    assert matches(table, "*")
    assert matches(table.upper() if table.isascii() else table, table)
    assert column_matches(table, column, f"{table}.{column}")
    assert column_matches(table, column, f"*.{column}")


@given(PLAIN, PLAIN, st.sampled_from(["*", "?", "[ab]"]))
def test_a_plain_pattern_fits_nothing_else(name: str, other: str, mark: str) -> None:
    assert matches(other, name) == (matches(name, other))
    assert matches(f"{name}a{other}", f"{name}{mark}{other}")
    assert not matches(f"{name}{other}z", f"{name}{mark}{other}y")


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [("*.url", True), ("RACE*.URL", True), ("race.url", False), ("*_backup_*.url", False), ("*.ur?", True)],
)
def test_patterns_of_columns(pattern: str, fits: bool) -> None:
    assert column_matches("race_metadata", "url", pattern) == fits
