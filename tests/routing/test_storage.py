"""S3-like storage: which server and keys the variables and AWS's files mean; no error shows a key."""

from __future__ import annotations

import traceback
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greynb.errors import RoutingError
from greynb.routing import Settings
from greynb.routing.storage import S3, Storage

KEYS = {"AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "hunter2hunter2"}


def storage(folder: Path, **variables: str) -> Storage:
    without = {"AWS_CONFIG_FILE": str(folder / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(folder / "keys")}
    settings = Settings.from_environ({"ANALYTICS_DB_PATH": "ducklake:cat.db", **without, **variables}, folder)
    lake = settings.route("analytics").lake
    assert lake is not None and lake.storage is not None
    return lake.storage


def s3(folder: Path, **variables: str) -> S3:
    return storage(folder, **variables).s3()


@pytest.mark.parametrize(
    ("variables", "address", "use_ssl", "region"),
    [
        ({}, "s3.us-east-1.amazonaws.com:443", True, "us-east-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "s3.eu-west-1.amazonaws.com:443", True, "eu-west-1"),
        ({"AWS_REGION": "a-1", "AWS_DEFAULT_REGION": "b-1"}, "s3.a-1.amazonaws.com:443", True, "a-1"),
        ({"AWS_ENDPOINT_URL": "https://s3.example"}, "s3.example:443", True, "us-east-1"),
        ({"AWS_ENDPOINT_URL": "http://minio:9000/"}, "minio:9000", False, "us-east-1"),
        ({"AWS_ENDPOINT_URL_S3": "http://[::1]", "AWS_ENDPOINT_URL": "x://"}, "[::1]:80", False, "us-east-1"),
        ({"AWS_ENDPOINT_URL": "s3.example:8443"}, "s3.example:8443", True, "us-east-1"),
    ],
)
def test_the_variables_name_a_server_and_its_region(
    tmp_path: Path, variables: dict[str, str], address: str, use_ssl: bool, region: str
) -> None:
    found = s3(tmp_path, **variables)
    assert (found.address, found.use_ssl, found.region) == (address, use_ssl, region)
    assert found.is_aws == address.endswith("amazonaws.com:443")


def test_keys_come_from_the_variables_or_else_from_the_profile(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(
        "[default]\naws_access_key_id = D\naws_secret_access_key = d%d\n"
        "[races]\naws_access_key_id = R\naws_secret_access_key = r\naws_session_token = t\n"
    )
    (tmp_path / "config").write_text(
        "[default]\nregion = eu-north-1\n"
        "[profile races]\nregion = eu-west-3\nendpoint_url = https://minio.example:9000\n"
        "s3 =\n  max_concurrent_requests = 20\n"
    )
    found = s3(tmp_path)
    assert (found.key, found.secret, found.token, found.region) == ("D", "d%d", None, "eu-north-1")
    found = s3(tmp_path, AWS_PROFILE="races")
    assert (found.key, found.secret, found.token, found.region) == ("R", "r", "t", "eu-west-3")
    assert (found.address, found.keys_by) == ("minio.example:9000", "the profile races of ~/.aws")
    found = s3(tmp_path, AWS_PROFILE="races", **KEYS)
    assert (found.key, found.secret, found.token) == ("KEY", "hunter2hunter2", None)
    assert found.keys_by == "AWS_ACCESS_KEY_ID (environment)"


def test_the_env_file_names_keys_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AWS_ACCESS_KEY_ID=KEY\nAWS_SECRET_ACCESS_KEY=hunter2hunter2\n")
    found = s3(tmp_path)
    assert (found.key, found.secret) == ("KEY", "hunter2hunter2")
    assert found.keys_by == f"AWS_ACCESS_KEY_ID in {tmp_path / '.env'}"


def test_a_proxy_counts_where_duckdb_finds_it(tmp_path: Path) -> None:
    assert storage(tmp_path, HTTP_PROXY="http://proxy:3128").is_proxied
    (tmp_path / ".env").write_text("HTTP_PROXY=http://proxy:3128\n")
    assert not storage(tmp_path).is_proxied


def test_without_keys_nothing_is_signed(tmp_path: Path) -> None:
    found = s3(tmp_path)
    assert (found.key, found.secret, found.token) == (None, None, None)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"AWS_ENDPOINT_URL_S3": "http://ann:hunter2@host"}, "S3 address in AWS_ENDPOINT_URL_S3 is not"),
        ({"AWS_ENDPOINT_URL": "http://host/path?hunter2"}, "S3 address in AWS_ENDPOINT_URL is not"),
        ({"AWS_ENDPOINT_URL": "http://host:hunter2"}, "S3 address in AWS_ENDPOINT_URL is not"),
        ({"AWS_SECRET_ACCESS_KEY": "hunter2"}, "AWS_ACCESS_KEY_ID is missing"),
        ({"AWS_ACCESS_KEY_ID": "hunter2"}, "AWS_SECRET_ACCESS_KEY is missing"),
        ({"AWS_PROFILE": "races"}, "no such profile"),
        ({"AWS_CONFIG_FILE": "broken"}, "cannot be read as a file of AWS's"),
    ],
)
def test_what_is_not_understood_is_said_without_repeating_it(
    tmp_path: Path, variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken").write_text("aws_secret_access_key hunter2\n")
    with pytest.raises(RoutingError, match=said) as caught:
        s3(tmp_path, **variables)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_name_that_is_set_nowhere_is_said_of_the_variable_that_refers_to_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AWS_REGION=eu-${NOWHERE}\n")
    with pytest.raises(RoutingError, match="AWS_REGION refers to"):
        s3(tmp_path)


@given(st.text(st.characters(codec="ascii", exclude_categories=("Cc", "Zs"))).map("hunter2".__add__))
def test_no_repr_shows_what_a_variable_holds(secret: str) -> None:
    variables = {
        "ANALYTICS_DB_PATH": f"ducklake:postgresql://ann:{quote(secret, safe='')}@db/races",
        "AWS_ACCESS_KEY_ID": "KEY",
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": secret,
        "AWS_CONFIG_FILE": "/nowhere",
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
    }
    settings = Settings.from_environ(variables, Path("/project"))
    lake = settings.route("analytics").lake
    assert lake is not None and lake.storage is not None
    found = lake.storage.s3()
    assert (found.secret, found.token) == (secret, secret)
    shown = f"{settings!r} {lake!r} {lake} {lake.storage!r} {found!r} {found}"
    assert secret not in shown and quote(secret, safe="") not in shown
