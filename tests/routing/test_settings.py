"""Variables, `.env` files and defaults choose the file of each role."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greynb.errors import RoutingError
from greynb.routing import Route, Settings
from greynb.routing.route import Role

STAGE, ANALYTICS = "greyhound_racing_data_stage.db", "greyhound_racing_data_analytics.db"
LEGACY = "greyhound_racing_data.db"
SHARED = ("GREYHOUND_DB_PATH", "DATABASE_PATH", "DATABASE_URL")


def route(role: Role, folder: Path, **environ: str) -> Route:
    return Settings.from_environ(environ, folder).route(role)


def test_without_variables_each_role_has_its_default_file(tmp_path: Path) -> None:
    staging, analytics = route("staging", tmp_path), route("analytics", tmp_path)
    assert (staging.path, analytics.path) == (tmp_path / STAGE, tmp_path / ANALYTICS)
    assert (staging.variable, staging.source, staging.mode) == (None, "default", "dual")
    assert analytics.chosen_by == f"the default name {ANALYTICS}"
    assert not analytics.shared


def test_the_legacy_file_serves_both_roles_where_it_is_the_only_one(tmp_path: Path) -> None:
    (tmp_path / LEGACY).touch()
    for role in ("staging", "analytics"):
        chosen = route(role, tmp_path)
        assert (chosen.path, chosen.variable, chosen.mode) == (tmp_path / LEGACY, None, "legacy")
        assert chosen.shared


def test_the_legacy_file_serves_only_the_role_whose_default_file_is_missing(tmp_path: Path) -> None:
    (tmp_path / LEGACY).touch()
    (tmp_path / STAGE).touch()
    assert route("staging", tmp_path).path == tmp_path / STAGE
    assert route("analytics", tmp_path).path == tmp_path / LEGACY
    assert route("analytics", tmp_path).mode == "dual"


def test_a_dangling_link_at_the_default_name_keeps_the_legacy_file_out(tmp_path: Path) -> None:
    (tmp_path / LEGACY).touch()
    (tmp_path / ANALYTICS).symlink_to("gone/analytics.db")
    assert route("analytics", tmp_path).path == tmp_path / ANALYTICS


@pytest.mark.parametrize("role", ["staging", "analytics"])
def test_variables_are_asked_in_their_order(tmp_path: Path, role: Role) -> None:
    own = "STAGING_DB_PATH" if role == "staging" else "ANALYTICS_DB_PATH"
    environ = {name: f"{name}.db" for name in (own, *SHARED)}
    for name in (own, *SHARED):
        chosen = route(role, tmp_path, **environ)
        assert (chosen.variable, chosen.path) == (name, tmp_path / f"{name}.db")
        assert chosen.chosen_by == f"{name} (environment)"
        del environ[name]


def test_the_other_role_s_variable_does_not_count(tmp_path: Path) -> None:
    assert route("analytics", tmp_path, STAGING_DB_PATH="a.db").path == tmp_path / ANALYTICS


@pytest.mark.parametrize("empty", ["", "  ", "\t"])
def test_an_empty_value_counts_as_unset(tmp_path: Path, empty: str) -> None:
    (tmp_path / ".env").write_text("DATABASE_PATH=from_file.db\nGREYHOUND_DB_PATH=\nANALYTICS_DB_PATH\n")
    chosen = route("analytics", tmp_path, ANALYTICS_DB_PATH=empty, DATABASE_PATH=empty)
    assert (chosen.variable, chosen.path) == ("DATABASE_PATH", tmp_path / "from_file.db")


def test_a_relative_path_starts_at_the_env_file_or_at_the_working_folder(tmp_path: Path) -> None:
    folder = tmp_path / "notebooks" / "deep"
    folder.mkdir(parents=True)
    (tmp_path / ".env").write_text("STAGING_DB_PATH=data/stage.db\nANALYTICS_DB_PATH=sqlite:///data/a.db\n")
    settings = Settings.from_environ({"ANALYTICS_DB_PATH": "here.db"}, folder)
    staging, analytics = settings.route("staging"), settings.route("analytics")
    assert (staging.path, staging.source) == (tmp_path / "data/stage.db", ".env")
    assert staging.chosen_by == f"STAGING_DB_PATH in {tmp_path / '.env'}"
    assert (analytics.path, analytics.source, analytics.env_file) == (folder / "here.db", "environment", None)


def test_the_nearest_env_file_is_the_only_one_read(tmp_path: Path) -> None:
    folder = tmp_path / "notebooks"
    (folder / "venv" / ".env").mkdir(parents=True)
    (tmp_path / ".env").write_text("STAGING_DB_PATH=far.db\nANALYTICS_DB_PATH=far.db\n")
    (folder / ".env").write_text("STAGING_DB_PATH=near.db\n")
    assert route("staging", folder / "venv").path == folder / "near.db"
    assert route("analytics", folder / "venv").path == folder / "venv" / ANALYTICS


def test_a_role_s_variable_in_the_env_file_wins_over_a_shared_one_in_the_environment(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ANALYTICS_DB_PATH=role.db\n")
    settings = Settings.from_environ({"GREYHOUND_DB_PATH": "shared.db"}, tmp_path)
    assert settings.route("analytics").path == tmp_path / "role.db"
    assert settings.route("staging").path == tmp_path / "shared.db"


def test_the_env_file_is_read_as_python_dotenv_reads_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "\ufeff# the data\nexport STAGING_DB_PATH='my stage.db'  # comment\nANALYTICS_DB_PATH=\"a #1.db\"\n",
        encoding="utf-8",
    )
    assert route("staging", tmp_path).path == tmp_path / "my stage.db"
    assert route("analytics", tmp_path).path == tmp_path / "a #1.db"


def test_references_see_the_environment_then_the_lines_above(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "ROOT=file\nNAME=${ROOT}/${SEASON:-2025}\nSTAGING_DB_PATH=${NAME}/s.db\nANALYTICS_DB_PATH=$ROOT.db\n"
    )
    assert route("staging", tmp_path).path == tmp_path / "file/2025/s.db"
    assert route("staging", tmp_path, ROOT="real").path == tmp_path / "real/2025/s.db"
    assert route("analytics", tmp_path).path == tmp_path / "$ROOT.db"


def test_an_undefined_reference_is_an_error_and_never_an_empty_text(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DIR=${DATA_DIR}/x\nSTAGING_DB_PATH=${DIR}/stage.db\n")
    with pytest.raises(RoutingError, match=r"\$\{DATA_DIR\}, which is not set"):
        route("staging", tmp_path)
    assert route("analytics", tmp_path).path == tmp_path / ANALYTICS
    assert route("staging", tmp_path, DATA_DIR="d").path == tmp_path / "d/x/stage.db"


def test_a_changed_env_file_is_seen_at_once(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    for number in range(10, 30):
        file.write_text(f"STAGING_DB_PATH=stage_{number}.db\n")
        os.utime(file, ns=(number, number))
        assert route("staging", tmp_path).path == tmp_path / f"stage_{number}.db"
    file.unlink()
    assert route("staging", tmp_path).source == "default"


def test_an_env_file_that_is_not_text_is_a_routing_error(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"STAGING_DB_PATH=\xff\xfe.db\n")
    with pytest.raises(RoutingError, match="cannot be read"):
        Settings.from_environ({}, tmp_path)


def test_a_refused_value_names_role_variable_and_source_and_no_password(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=mysql://ann:hunter2@db.example/races\n")
    with pytest.raises(RoutingError) as caught:
        route("analytics", tmp_path)
    text = str(caught.value)
    assert "analytics" in text
    assert f"DATABASE_URL in {tmp_path / '.env'}" in text
    assert "hunter2" not in text


def test_one_role_works_while_the_other_s_variable_is_broken(tmp_path: Path) -> None:
    chosen = route("analytics", tmp_path, STAGING_DB_PATH=":memory:", ANALYTICS_DB_PATH="a.db")
    assert (chosen.path, chosen.mode) == (tmp_path / "a.db", "dual")


def test_a_read_only_address_serves_analytics_and_not_staging(tmp_path: Path) -> None:
    url = "file:races.db?mode=ro&timeout=30"
    assert route("analytics", tmp_path, DATABASE_URL=url).options == {"mode": "ro", "timeout": "30"}
    with pytest.raises(RoutingError, match="mode=ro"):
        route("staging", tmp_path, DATABASE_URL=url)


def test_an_unknown_role_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RoutingError, match="no role 'prod'"):
        route("prod", tmp_path)  # type: ignore[arg-type]


def hard_link(folder: Path) -> None:
    (folder / "one.db").touch()
    (folder / "two.db").hardlink_to(folder / "one.db")


def symlink(folder: Path) -> None:
    (folder / "one.db").touch()
    (folder / "two.db").symlink_to("one.db")


def dangling_symlink(folder: Path) -> None:
    (folder / "two.db").symlink_to("one.db")


def linked_folder(folder: Path) -> None:
    (folder / "real").mkdir()
    (folder / "alias").symlink_to("real")


@pytest.mark.parametrize(
    ("prepare", "staging", "analytics"),
    [
        (lambda _: None, "one.db", "sqlite:///one.db"),
        (lambda _: None, "one.db", "x/../one.db"),
        (hard_link, "one.db", "two.db"),
        (symlink, "one.db", "two.db"),
        (dangling_symlink, "one.db", "two.db"),
        (linked_folder, "real/one.db", "alias/one.db"),
    ],
)
def test_two_names_of_one_file_are_single_mode(
    tmp_path: Path, prepare: Callable[[Path], None], staging: str, analytics: str
) -> None:
    prepare(tmp_path)
    settings = Settings.from_environ({"STAGING_DB_PATH": staging, "ANALYTICS_DB_PATH": analytics}, tmp_path)
    assert settings.route("staging").mode == settings.route("analytics").mode == "single"


def test_equal_files_that_are_two_are_dual_mode(tmp_path: Path) -> None:
    (tmp_path / "one.db").touch()
    (tmp_path / "two.db").touch()
    assert route("staging", tmp_path, STAGING_DB_PATH="one.db", ANALYTICS_DB_PATH="two.db").mode == "dual"


@pytest.mark.parametrize("variable", SHARED)
def test_one_shared_variable_is_legacy_mode(tmp_path: Path, variable: str) -> None:
    settings = Settings.from_environ({variable: "all.db"}, tmp_path)
    assert settings.route("staging").mode == settings.route("analytics").mode == "legacy"
    mixed = Settings.from_environ({variable: "all.db", "ANALYTICS_DB_PATH": "all.db"}, tmp_path)
    assert mixed.route("staging").mode == mixed.route("analytics").mode == "single"


def test_a_published_analytics_link_is_kept_as_typed_and_is_dual(tmp_path: Path) -> None:
    generation = tmp_path / ".races" / "gen-000001"
    generation.mkdir(parents=True)
    (generation / "analytics.db").touch()
    (generation.parent / "current").symlink_to("gen-000001")
    (tmp_path / ANALYTICS).symlink_to(".races/current/analytics.db")
    chosen = route("analytics", tmp_path)
    assert (chosen.path, chosen.mode) == (tmp_path / ANALYTICS, "dual")


def test_the_process_s_environment_is_read_anew_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("ANALYTICS_DB_PATH", *SHARED):
        monkeypatch.delenv(name, raising=False)
    assert Settings.current().route("analytics").path == tmp_path / ANALYTICS
    monkeypatch.setenv("ANALYTICS_DB_PATH", "next.db")
    assert Settings.current().route("analytics").path == tmp_path / "next.db"


values = st.sampled_from(["", " ", "a.db", "b.db", "sqlite:///a.db", "sqlite:///c.db"])
variables = st.sampled_from(["STAGING_DB_PATH", "ANALYTICS_DB_PATH", *SHARED])


@given(st.dictionaries(variables, values), st.dictionaries(variables, values))
def test_precedence_is_by_variable_then_by_source(
    tmp_path_factory: pytest.TempPathFactory, environ: dict[str, str], in_file: dict[str, str]
) -> None:
    folder = tmp_path_factory.mktemp("project", numbered=True)
    (folder / ".env").write_text("".join(f"{name}='{text}'\n" for name, text in in_file.items()))
    order = ("ANALYTICS_DB_PATH", *SHARED)
    merged = {name: environ.get(name, "").strip() or in_file.get(name, "").strip() for name in order}
    expected = next((name for name in order if merged[name]), None)
    chosen = route("analytics", folder, **environ)
    assert chosen.variable == expected
    assert chosen.path == folder / (merged[expected].removeprefix("sqlite:///") if expected else ANALYTICS)
