"""A lake whose files lie on an S3 server: publications, cells, upkeep, fences and faults."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import duckdb
import pytest
from psycopg.sql import SQL, Identifier

import greynb
from greynb import api, connections
from greynb.doctor.examination import examine
from greynb.doctor.patient import Patient
from greynb.errors import DatabaseError, UnreadableDatabase, UsageError, WriteRefused
from greynb.lake.attaching import ALIAS, CATALOGUE, opened
from greynb.lake.compacting import compact
from greynb.lake.publishing import ANEW
from greynb.lake.upkeep import keep_up
from greynb.routing import Server, Settings
from greynb.spark.files import table_files
from tests.lake.conftest import Lake, check_versions, fill
from tests.scale.s3 import KEY, S3Server, is_installed
from tests.scale.server import PostgresServer, wait_for

_LISTINGS = (
    *("duckdb_databases()", "duckdb_secrets()", "duckdb_settings()", "duckdb_logs", "duckdb_views()"),
    *(f"ducklake_{name}('{ALIAS}')" for name in ("settings", "options", "snapshots")),
    f"{CATALOGUE}.ducklake_metadata",
)


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    if not is_installed():
        pytest.skip("Swift is not installed: make test-scale does that where it may")
    server = S3Server()
    yield server
    server.remove()


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3: S3Server) -> Iterator[Lake]:
    made = Lake(tmp_path)
    fill(made.staging)
    bucket = f"races-{secrets.token_hex(4)}"
    assert s3.request("PUT", f"/{bucket}") == 200
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STAGING_DB_PATH", str(made.staging))
    monkeypatch.setenv("ANALYTICS_DB_PATH", f"ducklake:{made.catalogue}")
    monkeypatch.setenv("LAKE_DATA_PATH", f"s3://{bucket}/lake")
    for name, text in s3.environment().items():
        monkeypatch.setenv(name, text)
    yield made
    connections.close_all()


def test_publications_cells_history_and_rollback_work_as_in_a_folder(lake: Lake, s3: S3Server) -> None:
    check_versions(lake)
    assert not list(lake.folder.glob("**/*.parquet"))


def shown(error: BaseException) -> str:
    """All that a traceback of the error, and of what led to it, would print."""
    return "".join(traceback.format_exception(error)) + repr(error)


def objects(s3: S3Server) -> list[str]:
    """The files of the lake that the environment names, as the server lists them."""
    with s3.client() as con:
        return [path for (path,) in con.execute(f"FROM glob('{os.environ['LAKE_DATA_PATH']}/**')").fetchall()]


def server() -> Server:
    found = Settings.current().route("analytics").lake
    assert found is not None
    return found


def asked(lake: Lake, sql: str) -> list[tuple[object, ...]]:
    """What the engine of the cells answers to one who has got past the gate."""
    return lake.cells().files(lambda con: con.execute(sql).fetchall())


def test_a_cell_reaches_no_other_object_file_or_server(lake: Lake, s3: S3Server) -> None:
    api.sync()
    bucket = os.environ["LAKE_DATA_PATH"].removeprefix("s3://").removesuffix("/lake")
    with s3.client() as con:
        con.execute(f"COPY (SELECT 42 AS secret) TO 's3://{bucket}/lake2/x.parquet'")
        (mine, *_) = [path for path in objects(s3) if "/races/" in path]
    with pytest.raises(WriteRefused):
        lake.rows(f"FROM '{mine}'")
    assert asked(lake, f"SELECT count(*) FROM '{mine}'") == [(5000,)]
    for there in (
        f"s3://{bucket}/lake2/x.parquet",
        f"s3://{bucket}/lake/../lake2/x.parquet",
        f"s3a://{bucket}/lake2/x.parquet",
        f"http://127.0.0.1:{s3.port}/{bucket}/lake/x.parquet",
        "/etc/passwd",
    ):
        with pytest.raises(duckdb.Error):
            asked(lake, f"FROM read_blob('{there}')")
        with pytest.raises(duckdb.Error):
            asked(lake, f"COPY (SELECT 1) TO '{there}'")
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0.5)
        port = elsewhere.getsockname()[1]
        with pytest.raises(duckdb.Error):
            asked(lake, f"FROM read_blob('{mine}?s3_endpoint=127.0.0.1:{port}&s3_use_ssl=false')")
        with pytest.raises(TimeoutError):
            elsewhere.accept()


def test_nothing_shows_the_keys(lake: Lake, s3: S3Server) -> None:
    api.sync()
    lake.rows("SELECT 1 FROM races")
    for listing in _LISTINGS:
        assert s3.secret not in str(asked(lake, f"SELECT COLUMNS(*)::VARCHAR FROM {listing}"))
    assert asked(lake, "FROM which_secret('s3://elsewhere/x', 's3')") == []
    assert s3.secret not in f"{greynb.status()} {api.history()} {server()!r} {Settings.current()!r}"


def test_keys_that_aws_s_variables_hold_are_not_shown_over_a_lake_in_a_folder_either(
    lake: Lake, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAKE_DATA_PATH")
    api.sync()
    assert s3.secret not in str(asked(lake, "FROM duckdb_settings()"))


def test_wrong_keys_are_refused_by_name_and_not_shown(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    api.sync()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-wrong-guess")
    for action in (lambda: lake.rows("SELECT 1 FROM races"), api.sync, greynb.status().__str__):
        lake.execute("DELETE FROM races WHERE id = (SELECT max(id) FROM races)")
        try:
            said = str(action())
        except UnreadableDatabase as error:
            said = str(error)
            assert "a-wrong-guess" not in shown(error)
        assert "refused the keys" in said
        assert "AWS_ACCESS_KEY_ID (environment)" in said or action is not api.sync
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(UnreadableDatabase, match="refused the keys") as caught:
        lake.rows("SELECT 1 FROM races")
    assert "AWS_ACCESS_KEY_ID is not set" in str(caught.value)
    with pytest.raises(UnreadableDatabase, match="refused the keys"):
        api.verify()  # once, and not for each table


def test_a_new_lake_is_not_made_without_keys(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(UnreadableDatabase, match=r"(?s)refused the keys.*AWS_ACCESS_KEY_ID is not set"):
        api.sync()
    assert not lake.catalogue.exists()


def test_tls_to_a_server_without_it_names_the_address_to_write(
    lake: Lake, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"127.0.0.1:{s3.port}")
    with pytest.raises(DatabaseError, match=r"(?s)cannot be reached: ssl.*write http://"):
        api.sync()


def test_keys_that_a_profile_changed_meanwhile_serve_the_next_cell(
    lake: Lake, s3: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    api.sync()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))

    def change(secret: str) -> None:
        (tmp_path / "keys").write_text(
            f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {secret}\n"
        )

    change(s3.secret)
    assert lake.rows("SELECT count(*) FROM tips") == [(900,)]
    s3.rotate()
    with pytest.raises(UnreadableDatabase, match="refused the keys"):
        lake.rows("SELECT count(DISTINCT track) FROM races")
    change(s3.secret)
    assert lake.rows("SELECT count(DISTINCT track) FROM races") == [(7,)]


def test_a_server_s_own_certificate_is_trusted_only_where_it_is_named(
    lake: Lake, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = s3.secure()
    try:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"https://127.0.0.1:{s3.port}")
        with pytest.raises(DatabaseError, match="cannot be reached: ssl peer certificate") as caught:
            api.sync()
        assert "AWS_CA_BUNDLE" in str(caught.value)
        monkeypatch.setenv("AWS_CA_BUNDLE", certificate)
        api.sync()
        assert lake.rows("SELECT count(DISTINCT track) FROM races") == [(7,)]
    finally:
        s3.rotate()


def test_a_bucket_that_is_not_there_is_said_before_the_lake_is_made(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = os.environ["LAKE_DATA_PATH"]
    monkeypatch.setenv("LAKE_DATA_PATH", "s3://no-such-bucket/lake")
    with pytest.raises(UnreadableDatabase, match="has no bucket no-such-bucket"):
        api.sync()
    monkeypatch.setenv("LAKE_DATA_PATH", right)
    assert api.sync().id == "lake-000001"


def test_a_folder_that_holds_something_else_is_not_taken_for_a_lake(lake: Lake, s3: S3Server) -> None:
    with s3.client() as con:
        con.execute(f"COPY (SELECT 1) TO '{os.environ['LAKE_DATA_PATH']}/mine.csv'")
    with pytest.raises(UsageError, match="is not empty"):
        api.sync()
    assert len(objects(s3)) == 1


@pytest.mark.parametrize("folder", ["/", "/my races/ä+b=1%20"])
def test_a_folder_of_any_name_holds_a_lake(lake: Lake, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = os.environ["LAKE_DATA_PATH"].removesuffix("/lake")
    monkeypatch.setenv("LAKE_DATA_PATH", f"{bucket}{folder}")
    api.sync()
    lake.execute("DELETE FROM races WHERE id > 4000")
    last = api.sync()
    with closing(opened(server(), writing=True)) as con:
        compact(con, last.id)
        assert keep_up(con, server(), keep=0, grace=timedelta(0)) == []
    assert lake.rows("SELECT count(DISTINCT id) FROM races") == [(4000,)]


@pytest.mark.parametrize("text", ["gs://races/lake", "https://races.example/lake"])
def test_storage_of_another_kind_is_refused(lake: Lake, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_DATA_PATH", text)
    with pytest.raises(UsageError, match="in a folder or on S3"):
        api.sync()


def test_a_server_that_is_down_is_said_within_seconds_and_serves_the_next_cell_again(
    lake: Lake, s3: S3Server
) -> None:
    api.sync()
    lake.execute("DELETE FROM tips")
    lake.cells().refresh()
    s3.stop()
    try:
        distinct = "SELECT count(DISTINCT track) FROM races"
        for action in (lambda: lake.rows(distinct), api.sync, lambda: fresh(lake, distinct)):
            begun = time.monotonic()
            with pytest.raises(DatabaseError, match=f"127.0.0.1:{s3.port} cannot be reached") as caught:
                action()
            assert time.monotonic() - begun < 20  # 1 s on an idle machine
            assert "AWS_ENDPOINT_URL_S3 (environment)" in str(caught.value)
            assert s3.secret not in shown(caught.value)
    finally:
        s3.start()
    assert lake.rows(distinct) == [(7,)]
    api.sync()
    assert lake.rows("SELECT count(*) FROM tips") == [(0,)]


def fresh(lake: Lake, sql: str) -> list[tuple[object, ...]]:
    """The rows of a query in a new session."""
    connections.close_all()
    return lake.rows(sql)


def test_a_silent_address_is_given_up_within_seconds(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    api.sync()
    with silent_port() as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{port}")
        begun = time.monotonic()
        with pytest.raises(DatabaseError, match=f"127.0.0.1:{port} cannot be reached: it did not answer"):
            lake.rows("SELECT count(*) FROM races")
        assert time.monotonic() - begun < 20  # 3 s on an idle machine


def test_a_server_that_falls_silent_ends_a_cell_in_time(lake: Lake, s3: S3Server) -> None:
    api.sync()
    lake.cells().refresh()
    s3.freeze(on=True)
    try:
        begun = time.monotonic()
        with pytest.raises(DatabaseError, match=f"127.0.0.1:{s3.port}"):
            lake.rows("SELECT count(DISTINCT track) FROM races")
        assert time.monotonic() - begun < 60  # 20 s on an idle machine; 120 s by DuckDB's own settings
    finally:
        s3.freeze(on=False)
    assert lake.rows("SELECT count(DISTINCT track) FROM races") == [(7,)]


def test_a_server_that_falls_silent_ends_a_publication_which_the_next_makes_up_for(
    lake: Lake, s3: S3Server
) -> None:
    api.sync()
    lake.execute("DELETE FROM tips WHERE odds > 50")
    begun = []

    def freeze(step: str, _fraction: float) -> None:
        if step == "write lake" and not begun:
            s3.freeze(on=True)
            begun.append(time.monotonic())

    try:
        with pytest.raises(DatabaseError, match=r"(?s)127.0.0.1:.*cannot be reached.*has not answered any"):
            api.sync(progress=freeze)
        assert time.monotonic() - begun[0] < 60  # 15 s on an idle machine; 120 s by DuckDB's own settings
    finally:
        s3.freeze(on=False)
    assert lake.rows("SELECT count(*) FROM tips") == [(900,)]
    assert api.sync().id == "lake-000002"
    assert lake.rows("SELECT count(*) FROM tips") == [(401,)]


def test_ctrl_c_ends_a_publication_to_a_silent_server_at_once(lake: Lake, s3: S3Server) -> None:
    api.sync()
    lake.execute("DELETE FROM tips WHERE odds > 50")
    command = [sys.executable, "-m", "greynb", "sync"]
    s3.freeze(on=True)
    try:
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            assert any("attach" in line for line in process.stderr)
            time.sleep(2)  # into a request
            begun = time.monotonic()
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=60)[1]
    finally:
        s3.freeze(on=False)
    assert process.returncode == 130 and "Traceback" not in said
    assert time.monotonic() - begun < 8  # 1 s on an idle machine, and the server is given up after 12
    assert api.sync().id == "lake-000002"


@contextmanager
def silent_port() -> Iterator[int]:
    """A port whose queue of callers is full, so that nobody is answered, as behind a firewall."""
    with ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(full.getsockname())
        yield full.getsockname()[1]


def test_a_file_that_something_else_removed_is_named_and_a_full_publication_mends_it(
    lake: Lake, s3: S3Server
) -> None:
    api.sync()
    (gone,) = [path for path in objects(s3) if "/races/" in path]
    assert s3.request("DELETE", gone.removeprefix("s3:/")) == 204
    with pytest.raises(UnreadableDatabase, match="is gone from S3") as caught:
        lake.rows("SELECT sum(prize) FROM races")
    assert gone.rpartition("/")[2] in str(caught.value)
    assert lake.rows("SELECT count(*) FROM tips") == [(900,)]
    assert {each.name: each.state for each in api.verify().tables}["races"] == "unreadable"
    with pytest.raises(UnreadableDatabase, match="is gone from S3"):
        api.sync(verify=True)
    assert ANEW in api.sync("full").notices
    assert lake.rows("SELECT count(*), sum(prize) > 0 FROM races") == [(5000, True)]
    assert api.verify().equal


def test_a_publisher_killed_in_an_upload_leaves_the_old_version_and_upkeep_removes_what_it_left(
    lake: Lake, s3: S3Server
) -> None:
    api.sync()
    before = set(objects(s3))
    lake.execute("DELETE FROM races WHERE id > 4000")
    code = """
import os, signal
from greynb import api
def told(step, part):
    if step == "write lake" and part > 0.4:
        os.kill(os.getpid(), signal.SIGKILL)
api.sync("full", progress=told)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    assert lake.rows("SELECT count(*) FROM races") == [(5000,)]
    assert set(objects(s3)) > before
    with closing(opened(server(), writing=True)) as con:
        # The server's clock goes by whole seconds, rounded up.
        wait_for(
            lambda: keep_up(con, server(), keep=2, grace=timedelta(0)) == [] and set(objects(s3)) == before
        )
    api.sync()
    assert lake.rows("SELECT count(*) FROM races") == [(4000,)]


def test_upkeep_removes_the_files_of_old_versions_and_compacts_without_touching_rows(
    lake: Lake, s3: S3Server
) -> None:
    for number in range(4):
        lake.execute(f"DELETE FROM races WHERE id % 50 = {number}")
        last = api.sync(keep=1)
    many = len(objects(s3))
    with closing(opened(server(), writing=True)) as con:
        compact(con, last.id)
        assert keep_up(con, server(), keep=0, grace=timedelta(0)) == []
    assert len(objects(s3)) < many
    assert lake.rows("SELECT count(*) FROM races") == [(4600,)]
    assert api.verify().equal
    assert [each.id for each in api.history()] == [last.id]


def test_the_doctor_and_the_status_say_what_is_wrong_with_the_storage(
    lake: Lake, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.sync()
    with closing(Patient(Settings.current())) as patient:
        assert not [each for each in examine(patient).findings if each.id.startswith("lake-")]
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-wrong-guess")
    with closing(Patient(Settings.current())) as patient:
        (found,) = [each for each in examine(patient).findings if each.id.startswith("lake-")]
    assert "refused the keys" in str(found)
    assert "a-wrong-guess" not in str(found)


def test_spark_is_refused_with_the_reason(lake: Lake) -> None:
    api.sync()
    session = lake.cells()
    number = session.refresh().number
    with pytest.raises(DatabaseError, match="the lake's files are on S3"):
        session.files(lambda con: table_files(con, "races", number))


def test_a_catalogue_in_postgresql_goes_with_files_on_s3_and_shows_no_password(
    lake: Lake, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = "s3cr'e\\t \"w%rd@/:?#&=+"
    database = postgres.database()
    with postgres.connect(database) as con:
        role = SQL("CREATE ROLE keeper LOGIN PASSWORD {}").format(password)
        con.execute(role)
        con.execute(SQL("ALTER DATABASE {} OWNER TO keeper").format(Identifier(database)))
    host = f"127.0.0.1:{postgres.port}"
    escaped = password.replace("\\", "\\\\").replace("'", "\\'")
    for address in (
        f"ducklake:postgresql://keeper:{quote(password, safe='')}@{host}/{database}",
        f"ducklake:postgres:host=127.0.0.1 port={postgres.port} dbname={database} user=keeper"
        f" password='{escaped}'",
    ):
        monkeypatch.setenv("ANALYTICS_DB_PATH", address)
        api.sync()
        assert lake.rows("SELECT count(*) FROM races") == [(5000,)]
        said = [asked(lake, f"SELECT COLUMNS(*)::VARCHAR FROM {each}") for each in _LISTINGS]
        said += [greynb.status(), api.history(), server(), Settings.current(), lake.cells().snapshot]
        monkeypatch.setenv("ANALYTICS_DB_PATH", address.replace("s3cr", "guess-s3cr"))
        with pytest.raises(UnreadableDatabase, match="refused the connection") as caught:
            lake.rows("SELECT 1 FROM races")
        said.append(shown(caught.value))
        for form in (password, quote(password, safe=""), escaped):
            assert form not in "".join(f"{each} {each!r}" for each in said)
