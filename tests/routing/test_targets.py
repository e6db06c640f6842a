"""Paths and URLs become files, or a clear refusal."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from greynb.errors import RoutingError
from greynb.routing.targets import parse_target

BASE = Path("/project").absolute()
ROOT = Path("/").absolute()

names = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Z"), exclude_characters="/\\:"), min_size=1, max_size=20
).filter(lambda name: name.strip(".") and not name.startswith("~") and name[0] not in "'\"")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("stage.db", BASE / "stage.db"),
        ("  stage.db\t", BASE / "stage.db"),
        ("../up/stage.db", BASE / "../up/stage.db"),
        ("/data/stage.db", ROOT / "data/stage.db"),
        ("~/stage.db", Path.home() / "stage.db"),
        ("a b?c#d%20e'f.db", BASE / "a b?c#d%20e'f.db"),
        ("sqlite:///stage.db", BASE / "stage.db"),
        ("SQLite:///dir/stage.db", BASE / "dir/stage.db"),
        ("sqlite:////data/stage.db", ROOT / "data/stage.db"),
        ("sqlite+pysqlite:////data/stage.db", ROOT / "data/stage.db"),
        ("sqlite+aiosqlite:///stage.db", BASE / "stage.db"),
        ("sqlite:///~/stage.db", Path.home() / "stage.db"),
        ("sqlite:///my%20races%3F%23.db", BASE / "my races?#.db"),
        ("sqlite:///100%.db", BASE / "100%.db"),
        ("sqlite:///a#b.db", BASE / "a#b.db"),
        ("file:stage.db", BASE / "stage.db"),
        ("file:/data/stage.db", ROOT / "data/stage.db"),
        ("file:///data/a%20b.db", ROOT / "data/a b.db"),
        ("file://localhost/data/stage.db", ROOT / "data/stage.db"),
        ("sqlite:///file:a%20b.db?uri=true", BASE / "a b.db"),
    ],
)
def test_a_path_or_url_names_a_file(text: str, expected: Path) -> None:
    assert parse_target(text, base=BASE) == (expected, {})


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("sqlite:///a.db?timeout=30", {"timeout": "30"}),
        ("file:a.db?check_same_thread=False&timeout=1.5", {"check_same_thread": "False", "timeout": "1.5"}),
        ("file:a.db?mode=ro", {"mode": "ro"}),
        ("sqlite:///file:a.db?mode=ro&uri=true&timeout=2", {"mode": "ro", "timeout": "2"}),
        ("sqlite:///a.db?", {}),
    ],
)
def test_url_parameters_with_a_meaning_are_kept(text: str, options: dict[str, str]) -> None:
    assert parse_target(text, base=BASE) == (BASE / "a.db", options)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (":memory:", "in-memory"),
        ("sqlite://", "in-memory"),
        ("sqlite:///", "in-memory"),
        ("sqlite:///:memory:", "in-memory"),
        ("sqlite://?timeout=3", "in-memory"),
        ("file::memory:", "in-memory"),
        ("file:shared?mode=memory", "in-memory"),
        ("sqlite:///file:x?mode=memory&uri=true", "in-memory"),
        ("sqlite:stage.db", "three slashes"),
        ("sqlite://stage.db", "names a server"),
        ("file://server/stage.db", "names a server"),
        ("file:a#b.db", "ends at its #"),
        ("sqlite:///a.db?cache=shared", "'cache'"),
        ("sqlite:///a.db?immutable=1", "'immutable'"),
        ("sqlite:///a.db?mode=rwc", "'mode'"),
        ("sqlite:///a.db?timeout=soon", "'timeout'"),
        ("sqlite:///a.db?timeout=nan", "'timeout'"),
        ("sqlite:///a.db?timeout=-1", "'timeout'"),
        ("sqlite:///a.db?timeout=1&timeout=2", "twice"),
        ("sqlite:///a%00b.db", "NUL"),
        ("'stage.db'", "quotes"),
        ('"stage.db"', "quotes"),
        ("~no-such-user-here/stage.db", "home folder"),
        ("data/", "folder"),
    ],
)
def test_what_names_no_single_file_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(RoutingError) as caught:
        parse_target(text, base=BASE)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://ann:hun@ter/hunter2@db.example/races",
        "postgresql://ann:hunter2/x@db.example/races",
        "postgresql://ann:hunter2?x@db.example/races",
        "postgresql://ann:1/hunter2@db.example/races",
        "postgresql://db.example/races?hunter2",
        "ducklake:postgres:password='hunter2",
        "sc://;token=hunter2",
        "postgresql:/ann:hunter2@db.example/races",
        "mysql://ann:hunter2@db.example/races?ssl=1",
        "jdbc:postgresql://ann:hunter2@db.example/races",
        "my server://ann:hunter2@db.example/races",
        '"postgresql://ann:hunter2@db.example/races"',
        "sqlite+pysqlcipher://:hunter2@/races.db",
        "sqlite://ann:hunter2@db.example/races.db",
        "file://ann:hunter2@db.example/races.db",
        "sqlite:///races.db?password=hunter2",
    ],
)
def test_an_error_never_shows_a_password(text: str) -> None:
    with pytest.raises(RoutingError) as caught:
        parse_target(text, base=BASE)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(caught.value.__cause__)


def test_an_address_of_another_server_is_refused_by_its_scheme() -> None:
    with pytest.raises(RoutingError, match="cannot use mysql addresses"):
        parse_target("mysql://db.example/races", base=BASE)


def test_an_existing_folder_is_refused_as_a_database(tmp_path: Path) -> None:
    with pytest.raises(RoutingError, match="is a folder"):
        parse_target(str(tmp_path), base=tmp_path)


def test_a_symlink_is_kept_as_typed(tmp_path: Path) -> None:
    (tmp_path / "real.db").touch()
    (tmp_path / "link.db").symlink_to("real.db")
    assert parse_target("link.db", base=tmp_path).path == tmp_path / "link.db"


@pytest.mark.skipif(os.name == "nt", reason="a drive is a path there")
@pytest.mark.parametrize("text", ["C:\\races\\a.db", "c:/races/a.db", "sqlite:///C:/a.db", "file:///C:/a.db"])
def test_a_windows_path_is_refused_elsewhere(text: str) -> None:
    with pytest.raises(RoutingError, match="Windows path"):
        parse_target(text, base=BASE)


@pytest.mark.skipif(os.name != "nt", reason="drives exist on Windows only")
@pytest.mark.parametrize("text", ["C:\\races\\a.db", "sqlite:///C:/races/a.db", "file:///C:/races/a.db"])
def test_a_drive_is_a_path_on_windows(text: str) -> None:
    assert parse_target(text, base=BASE).path == Path("C:/races/a.db")


@given(st.lists(names, min_size=1, max_size=3), st.booleans())
def test_every_path_survives_the_way_through_an_address(parts: list[str], absolute: bool) -> None:
    text = "/".join(parts)
    assume(absolute or not text.startswith("file:"))
    expected = (ROOT if absolute else BASE) / text
    slash = "/" if absolute else ""
    for address in (f"sqlite:///{slash}{quote(text)}?timeout=1", f"file:{slash}{quote(text)}?timeout=1"):
        assert parse_target(address, base=BASE) == (expected, {"timeout": "1"})
    assert parse_target(slash + text, base=BASE) == (expected, {})


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_text_gives_a_file_or_a_routing_error(text: str) -> None:
    assume(text.strip())
    for prefix in ("", "sqlite:", "sqlite://", "sqlite:///", "file:", "file:///x?"):
        try:
            path, _ = parse_target(prefix + text, base=BASE)
        except RoutingError:
            continue
        assert path.is_absolute()
