"""One PostgreSQL server for all tests of this folder, and a database of its own for each that asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from greynb import connections
from greynb.routing import Server, Settings
from tests.lake.conftest import Lake, fill
from tests.scale.server import PostgresServer, programs
from tests.scale.spark import SparkCluster, home


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.scale)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    folder = programs()
    if folder is None:
        pytest.skip("PostgreSQL is not installed: make test-scale does that where it may")
    server = PostgresServer(folder)
    yield server
    server.remove()


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkCluster]:
    """One Spark of several processes; it takes 3 GB, and half a minute to start."""
    folder = home()
    assert folder is not None, "PySpark is not installed: make test-scale installs it"
    cluster = SparkCluster(folder)
    yield cluster
    cluster.remove()


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    """The address of an empty database."""
    return postgres.url(postgres.database())


@pytest.fixture
def server(url: str) -> Server:
    return server_of(url)


def server_of(url: str) -> Server:
    found = Settings.from_environ({"STAGING_DB_PATH": url}, Path.cwd()).route("staging").server
    assert found is not None
    return found


@contextmanager
def lake_over(address: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    """A lake whose catalogue is in the database at an address, its data and a filled staging in a folder."""
    made = Lake(folder)
    fill(made.staging)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("STAGING_DB_PATH", str(made.staging))
    monkeypatch.setenv("ANALYTICS_DB_PATH", f"ducklake:{address}")
    monkeypatch.setenv("LAKE_DATA_PATH", str(folder / "data"))
    yield made
    connections.close_all()
