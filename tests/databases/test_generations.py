"""Names and manifests of published versions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greynb.databases.generations import (
    FileEntry,
    Manifest,
    generation_name,
    home_of,
    link_text,
    load_generation,
    number_of,
    own_target,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
MANIFEST = Manifest(
    id="gen-000001",
    created="2026-07-01T10:00:00+00:00",
    mode="full",
    layout="generations",
    target="a.db",
    greynb="0",
    sqlite="3",
    publisher={"pid": 1, "host": "h"},
    source={"path": "/s.db"},
    schema=[{"type": "table", "name": "t", "table": "t", "sql": None}],
    rows={"t": 1, "u": None},
    census=None,
    files={"analytics.db": FileEntry("00", 1, 2, None)},
)


@settings(deadline=None)
@given(st.integers(min_value=1, max_value=10**9))
def test_a_number_is_found_again_in_its_name(number: int) -> None:
    assert number_of(generation_name(number)) == number


@pytest.mark.parametrize("name", ["gen-1", "gen-", "xgen-000001", "gen-000001x", ".build-1-0", "current"])
def test_other_names_are_no_generations(name: str) -> None:
    assert number_of(name) is None


def test_a_manifest_reads_back_as_it_was_written() -> None:
    assert Manifest.from_json(MANIFEST.to_json()) == MANIFEST


@settings(deadline=None)
@given(st.text() | JSON.map(json.dumps))
def test_any_other_text_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        Manifest.from_json(text)


@settings(deadline=None)
@given(st.sampled_from(sorted(json.loads(MANIFEST.to_json()))), JSON)
def test_a_manifest_with_any_part_spoilt_is_read_or_a_value_error(part: str, value: object) -> None:
    parts = json.loads(MANIFEST.to_json())
    parts[part] = value
    try:
        manifest = Manifest.from_json(json.dumps(parts))
    except ValueError:
        return
    manifest.tables()
    assert manifest.published


def test_a_folder_without_manifest_is_a_generation_that_is_not_intact(tmp_path: Path) -> None:
    assert not load_generation(tmp_path).is_intact()


def test_a_link_that_leads_to_itself_ends_the_search(tmp_path: Path) -> None:
    (tmp_path / "a.db").symlink_to("b.db")
    (tmp_path / "b.db").symlink_to("a.db")
    assert own_target(tmp_path / "a.db").parent == tmp_path


def test_a_link_into_the_own_home_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "a.db"
    target.symlink_to(link_text(target))
    assert own_target(target) == target
    assert home_of(target) == tmp_path / ".a"
