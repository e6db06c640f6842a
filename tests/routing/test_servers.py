"""Addresses of servers become routes that show no password, and that refuse what only files have."""

from __future__ import annotations

import copy
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greynb.errors import RoutingError
from greynb.routing import Server, Settings
from greynb.routing.servers import without_password
from greynb.routing.targets import parse_target

BASE = Path("/project").absolute()


def server_of(text: str) -> Server:
    place = parse_target(text, base=BASE).place
    assert isinstance(place, Server)
    return place


@pytest.mark.parametrize(
    ("text", "kind", "name", "short"),
    [
        ("postgresql://db.example/races", "postgresql", "postgresql://db.example/races", "races"),
        ("postgres://ann:pw1@db:5433/r", "postgresql", "postgresql://ann@db:5433/r", "r"),
        ("postgresql+psycopg2://ann:pw1@db/r?sslmode=require", "postgresql", "postgresql://ann@db/r", "r"),
        ("POSTGRESQL+psycopg://[::1]:5433/r", "postgresql", "postgresql://[::1]:5433/r", "r"),
        ("postgresql://h1:1,h2:2/r?password=pw1", "postgresql", "postgresql://h1:1,h2:2/r", "r"),
        ("postgresql://%2Frun%2Fpostgresql/r", "postgresql", "postgresql://%2Frun%2Fpostgresql/r", "r"),
        ("postgresql://", "postgresql", "postgresql://", "postgresql"),
        ("postgresql://?service=r&password=pw1", "postgresql", "postgresql://?service=r", "r"),
        ("postgresql:///?dbname=r&host=%2Frun", "postgresql", "postgresql:///?dbname=r&host=%2Frun", "r"),
        ("ducklake:lake/cat.db", "ducklake", f"ducklake:{BASE / 'lake/cat.db'}", "cat.db"),
        ("ducklake:sqlite:cat.db", "ducklake", f"ducklake:{BASE / 'cat.db'}", "cat.db"),
        ("ducklake:lakes-duckdb:old/c.db", "ducklake", f"ducklake:{BASE / 'lakes-duckdb:old/c.db'}", "c.db"),
        ("ducklake:sqlite:sqlite:c", "ducklake", f"ducklake:{BASE / 'sqlite:c'}", "sqlite:c"),
        ("ducklake:postgresql://ann:pw1@db/r", "ducklake", "ducklake:postgresql://ann@db/r", "r"),
        (
            "ducklake:postgres:dbname=r host=db user=ann password='pw1 \\' x'",
            *("ducklake", "ducklake:postgresql://ann@db/r", "r"),
        ),
        ("sc://spark.example/;token=pw1", "spark", "sc://spark.example:15002", "spark.example:15002"),
    ],
)
def test_a_server_has_a_name_without_its_password(text: str, kind: str, name: str, short: str) -> None:
    server = server_of(text)
    assert (server.kind, server.name, server.database) == (kind, name, short)
    assert "pw1" not in f"{server!r} {server}"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("postgres://ann:pw1@db:5433/r", "postgresql://ann@db:5433/r"),
        (
            "postgresql+psycopg2://ann:pw1@db/r?sslmode=require&password=pw1&sslpassword=pw1",
            "postgresql://ann@db/r?sslmode=require",
        ),
        ("postgresql://h1:1,h2:2/r?connect_timeout=9", "postgresql://h1:1,h2:2/r?connect_timeout=9"),
        ("postgresql://?service=r&password=pw1", "postgresql://?service=r"),
        (
            "postgresql://ann@db/r?%70assword=pw1&oauth_client_secret=pw1&scram_client_key=pw1&user=ann",
            "postgresql://ann@db/r?user=ann",
        ),
        ("ducklake:cat.db", f"ducklake:{BASE / 'cat.db'}"),
        (
            "ducklake:postgresql://ann:pw1@db/r?sslmode=require",
            "ducklake:postgresql://ann@db/r?sslmode=require",
        ),
        (
            "ducklake:postgres:dbname='r 2' host=db password='pw1 \\' x' sslmode=require",
            "ducklake:postgres:dbname='r 2' host=db sslmode=require",
        ),
    ],
)
def test_an_address_that_is_kept_in_a_file_loses_its_passwords_alone(text: str, kept: str) -> None:
    assert without_password(server_of(text)) == kept
    assert str(server_of(kept)) == str(server_of(text))


@pytest.mark.parametrize(
    "text",
    [
        "host=db dbname=races password=hunter2",
        "postgres:host=db password=hunter2",
        "postgres:ann:hunter2@db/races",
        "ducklake:mysql:host=db password=hunter2",
        "ducklake:POSTGRES:host=db Password = hunter2",
        "ducklake:postgresql:ann:hunter2@db/races",
        "sqlite:///host=db password=hunter2",
    ],
)
def test_a_connection_in_another_form_is_no_file_whose_name_shows_the_password(text: str) -> None:
    with pytest.raises(RoutingError, match="connection to a server") as caught:
        route("analytics", ANALYTICS_DB_PATH=text)
    assert "hunter2" not in str(caught.value)


passwords = st.text(st.characters(exclude_categories=("Cs",)), min_size=6)


@given(passwords)
def test_the_address_for_the_library_holds_the_password_as_it_was_written(password: str) -> None:
    server = server_of(f"postgresql+psycopg2://ann:{quote(password, safe='')}@db.example/races")
    assert server.address == f"postgresql://ann:{quote(password, safe='')}@db.example/races"
    assert server.name == "postgresql://ann@db.example/races"


def route(role, **variables):
    return Settings.from_environ(variables, BASE).route(role)


def test_what_only_files_have_is_refused_with_role_server_and_variable() -> None:
    with pytest.raises(RoutingError) as caught:
        route("staging", STAGING_DB_PATH="postgresql://ann:hunter2@db/races").path  # noqa: B018
    text = str(caught.value)
    assert "works on a SQLite file, and staging is a PostgreSQL database" in text
    assert "postgresql://ann@db/races" in text and "STAGING_DB_PATH" in text
    assert "hunter2" not in text


def test_database_url_names_a_server_for_both_roles() -> None:
    routes = [route(role, DATABASE_URL="postgres://ann:pw1@db/races") for role in ("staging", "analytics")]
    assert [each.mode for each in routes] == ["legacy", "legacy"]
    assert [each.name for each in routes] == ["races", "races"]
    assert "pw1" not in repr(routes) + repr(copy.copy(routes))


def test_two_services_are_two_places() -> None:
    variables = {f"{role}_DB_PATH": f"postgresql://?service={role}" for role in ("STAGING", "ANALYTICS")}
    assert route("staging", **variables).mode == "dual"


def test_a_server_for_staging_and_a_file_for_analytics_are_two() -> None:
    variables = {"STAGING_DB_PATH": "postgresql://db/races", "ANALYTICS_DB_PATH": "analytics.db"}
    assert route("staging", **variables).mode == route("analytics", **variables).mode == "dual"


@pytest.mark.parametrize("text", ["ducklake:cat.db", "sc://spark"])
def test_staging_is_no_lake_and_no_spark(text: str) -> None:
    with pytest.raises(RoutingError, match="cannot be staging"):
        route("staging", STAGING_DB_PATH=text)


def test_the_engine_spark_computes_over_what_would_serve_analytics() -> None:
    found = route(
        "analytics",
        ANALYTICS_ENGINE="spark",
        SPARK_REMOTE="sc://spark:15003",
        ANALYTICS_DB_PATH="ducklake:cat.db",
    )
    assert found.variable == "SPARK_REMOTE" and found.server is not None
    assert found.server.name == "sc://spark:15003"
    assert str(found.server.over) == f"ducklake:{BASE / 'cat.db'}"


def test_an_engine_without_its_server_and_an_unknown_engine_are_refused() -> None:
    with pytest.raises(RoutingError, match="SPARK_REMOTE is not set"):
        route("analytics", ANALYTICS_ENGINE="spark")
    with pytest.raises(RoutingError, match="no such engine"):
        route("analytics", ANALYTICS_ENGINE="presto")
