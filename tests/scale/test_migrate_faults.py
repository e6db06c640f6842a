"""What a migration between files and servers does when something is in its way, or kills it."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from greynb.cli import main
from greynb.connections import close_all
from greynb.errors import DatabaseError, MissingDatabase, RoutingError, UsageError
from greynb.migration.contents import content_of
from greynb.migration.migrated import Migrated
from greynb.migration.servers.filesplan import plan_files
from greynb.migration.servers.serversplan import ToServers, plan_servers
from greynb.migration.servers.tofiles import to_files
from greynb.migration.servers.toservers import to_servers
from greynb.routing import Settings
from tests.scale.brought import made
from tests.scale.server import PostgresServer, free_port, wait_for

ENV = "STAGING_DB_PATH=stage.db\nANALYTICS_DB_PATH=read.db\n"
SCRIPT = """
    PRAGMA journal_mode = WAL;
    CREATE TABLE races (id INTEGER PRIMARY KEY, venue TEXT UNIQUE, held DATETIME);
    CREATE TABLE odds (race INT REFERENCES races, price REAL);
    CREATE VIEW priced AS SELECT r.venue, o.price FROM races r JOIN odds o ON o.race = r.id;
    CREATE VIEW dear AS SELECT * FROM priced WHERE price > 400;
    INSERT INTO races SELECT value, 'v' || value, '2025-07-01 10:30' FROM generate_series(1, 3000);
    INSERT INTO odds SELECT value, value / 7.0 FROM generate_series(1, 3000);
"""


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: PostgresServer) -> Iterator[Path]:
    """The staging file in the working folder, whose ``.env`` names it; analytics stays a file."""
    numbers = "WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n LIMIT 3000)"
    script = SCRIPT.replace("SELECT value", f"{numbers} SELECT value").replace(
        "generate_series(1, 3000)", "n"
    )
    folder = tmp_path / "races"
    folder.mkdir()
    path = made(folder / "stage.db", script)
    (folder / ".env").write_text(ENV)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PGPASSWORD", postgres.password)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield path
    close_all()


@pytest.fixture
def address(postgres: PostgresServer) -> str:
    """An empty database, without the password."""
    return postgres.url(postgres.database()).replace(f":{postgres.password}@", "@")


def planned(stage: Path, address: str) -> ToServers:
    return plan_servers(address, None, Settings.from_environ({}, stage.parent))


def moved(stage: Path, address: str) -> Migrated[ToServers]:
    return to_servers(planned(stage, address))


def stopped(stage: Path, address: str, at: str) -> None:
    """Begin a migration, and interrupt it at a step."""

    def stop(step: str, _part: float) -> None:
        if step == at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        to_servers(planned(stage, address), progress=stop)


def tables(address: str) -> list[str]:
    with psycopg.connect(address) as con:
        asked = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        return [name for (name,) in con.execute(asked).fetchall()]


def change(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as con, con:
        con.execute(sql)


def test_a_wrong_password_is_told_of_without_it(stage, address, monkeypatch, capsys):
    monkeypatch.setenv("PGPASSWORD", "wrong-s3cret")
    assert main(["migrate", "--to-servers", "--staging", address, "--yes"]) == 1
    shown = capsys.readouterr().err
    assert "refused the connection" in shown and "s3cret" not in shown
    assert (stage.parent / ".env").read_text() == ENV


def test_a_password_in_the_address_is_shown_nowhere_and_written_nowhere(stage, address, capsys):
    given = address.replace("@", f":{os.environ['PGPASSWORD']}@")
    assert main(["migrate", "--to-servers", "--staging", given, "--yes"]) == 0
    shown = "".join(capsys.readouterr())
    assert "password is not written" in shown
    for text in (shown, (stage.parent / ".env").read_text()):
        assert os.environ["PGPASSWORD"] not in text and address in text
    journal = stage.parent / ".stage.db.to-servers.migration" / "state.json"
    assert os.environ["PGPASSWORD"] not in journal.read_text()


def test_a_server_that_is_not_there_is_told_of(stage, address):
    with pytest.raises(DatabaseError, match="cannot be reached"):
        planned(stage, f"postgresql://greynb@127.0.0.1:{free_port()}/races")
    with pytest.raises(MissingDatabase, match="does not exist"):
        planned(stage, address + "_not")


def test_a_dry_run_leaves_nothing_behind(stage, address, capsys):
    before = sorted(stage.parent.iterdir())
    assert main(["migrate", "--to-servers", "--staging", address, "--dry-run"]) == 0
    assert "2 tables, 6,000 rows" in capsys.readouterr().out
    assert tables(address) == [] and sorted(stage.parent.iterdir()) == before


def test_tables_that_are_there_already_stay_and_are_named(stage, address):
    with psycopg.connect(address) as con:
        con.execute("CREATE TABLE odds (x int); INSERT INTO odds VALUES (1); CREATE VIEW races AS SELECT 1")
    with pytest.raises(UsageError, match=r"(?s)odds \(a table with rows\).*races \(a view\)"):
        planned(stage, address)
    assert tables(address) == ["odds"]


def test_the_catalogue_of_the_lake_does_not_go_among_the_tables_of_staging(stage, address):
    with pytest.raises(UsageError, match="among the tables of staging"):
        plan_servers(address, f"ducklake:{address}", Settings.from_environ({}, stage.parent))


def test_a_lake_that_cannot_be_published_to_is_known_before_anything_is_written(stage, address):
    settings = Settings.from_environ({"LAKE_DATA_PATH": str(stage.with_name("lake"))}, stage.parent)
    mistyped = f"ducklake:{address.rpartition('/')[0]}/no_such_catalogue"
    with pytest.raises(DatabaseError, match=r'(?s)"no_such_catalogue" does not exist.*chosen by --analytics'):
        plan_servers(address, mistyped, settings)
    catalogue = f"ducklake:{address.rpartition('/')[0]}/postgres"
    with pytest.raises(UsageError, match=r"(?s)needs a folder for its Parquet files.*LAKE_DATA_PATH"):
        plan_servers(address, catalogue, Settings.from_environ({}, stage.parent))
    assert plan_servers(address, catalogue, settings).trial.tables == 2
    assert not stage.with_name("lake").exists()


def test_a_server_lost_while_rows_are_copied_is_told_by_the_error_alone(stage, address, capsys):
    def end(step: str, part: float) -> None:
        if step == "copy rows":
            with psycopg.connect(address) as con:
                con.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE pid <> pg_backend_pid() AND datname = current_database()"
                )

    plan = planned(stage, address)
    with pytest.raises(DatabaseError, match="PostgreSQL gave up"):
        to_servers(plan, progress=end)
    assert tables(address) == []
    assert logging.getLogger("psycopg").hasHandlers() and capsys.readouterr().err == ""


def test_an_address_that_is_not_understood_is_said_to_come_from_its_option(stage, address):
    settings = Settings.from_environ({}, stage.parent)
    with pytest.raises(RoutingError, match=r"(?s)ducklak addresses.*chosen by --analytics\n"):
        plan_servers(address, "ducklak:postgresql://db/races", settings)
    with pytest.raises(RoutingError, match=r"(?s)mysql addresses.*chosen by --staging\n"):
        plan_servers("mysql://db/races", None, settings)


def test_the_file_names_the_lake_where_spark_computes_over_it(stage, address):
    spark = {"ANALYTICS_ENGINE": "spark", "SPARK_REMOTE": "sc://127.0.0.1:15002"}
    lake = f"ducklake:{stage.with_name('lake.db')}"
    plan = plan_servers(address, lake, Settings.from_environ(spark, stage.parent))
    assert plan.variables == {"STAGING_DB_PATH": address, "ANALYTICS_DB_PATH": lake}
    stays = plan_servers(address, None, Settings.from_environ({}, stage.parent))
    assert stays.variables["ANALYTICS_DB_PATH"] == str(stage.with_name("read.db"))


def test_addresses_that_do_not_fit_are_refused(stage, address, capsys):
    with pytest.raises(UsageError, match="names no PostgreSQL"):
        planned(stage, str(stage.with_name("other.db")))
    assert main(["migrate", "--to-servers", "--yes"]) == 2
    with pytest.raises(UsageError, match="is no server"):
        plan_files(stage.with_name("new.db"), None, Settings.from_environ({}, stage.parent))
    change(stage, "DROP TABLE odds")
    (stage.parent / ".env").write_text("STAGING_DB_PATH=stage.db\nANALYTICS_DB_PATH=stage.db\n")
    with pytest.raises(UsageError, match="same file as staging"):
        planned(stage, address)


def test_a_database_that_cannot_hold_every_text_is_refused(stage, address):
    with psycopg.connect(address, autocommit=True) as con:
        name = f"latin_{con.info.backend_pid}"
        con.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1'")
    with pytest.raises(UsageError, match="encoding is LATIN1"):
        planned(stage, f"{address.rpartition('/')[0]}/{name}")


def test_one_migration_at_a_time_goes_into_a_database(stage, address):
    with psycopg.connect(address) as con:
        con.execute("SELECT pg_advisory_xact_lock(hashtext('greynb migrate'))")
        with pytest.raises(DatabaseError, match="another migration into this database"):
            planned(stage, address)
    assert planned(stage, address).trial.tables == 2


def test_a_role_that_may_not_create_tables_is_told_what_to_grant(stage, address, postgres):
    with psycopg.connect(address, autocommit=True) as con:
        con.execute("DROP ROLE IF EXISTS reader")
        con.execute(f"CREATE ROLE reader LOGIN PASSWORD '{postgres.password}'")
    with pytest.raises(DatabaseError, match="permission denied") as error:
        planned(stage, address.replace("greynb@", "reader@"))
    assert "GRANT CREATE" in str(error.value)


def test_an_error_on_the_way_leaves_nothing_and_the_next_run_goes_through(stage, address):
    before = content_of(stage)
    stopped(stage, address, "keys and indexes")
    assert tables(address) == []
    assert (stage.parent / ".env").read_text() == ENV
    done = moved(stage, address)
    assert done.tables == 2 and content_of(stage) == before


@pytest.mark.parametrize("step", ["copy rows", "keys and indexes", "commit", "mirror"])
def test_a_migration_that_is_killed_leaves_nothing_or_all_and_goes_on_when_it_is_repeated(
    step, stage, address
):
    words = ["migrate", "--to-servers", "--staging", address, "--yes"]
    killed_at(step, words)
    assert (stage.parent / ".env").read_text() == ENV
    wait_for(lambda: idle(address))
    assert tables(address) in ([], ["odds", "races"])
    assert subprocess.run([sys.executable, "-m", "greynb", *words], capture_output=True).returncode == 0
    assert tables(address) == ["odds", "races"]
    assert not (stage.parent / ".stage.db.to-servers.migration" / "copy.db").exists()
    back = plan_files(stage.with_name("back.db"), stage.with_name("back-read.db"), Settings.current())
    to_files(back, mirror=False)
    assert content_of(stage.with_name("back.db")) == content_of(stage)


def killed_at(step: str, words: list[str], how: signal.Signals = signal.SIGKILL) -> int:
    """Run a command, and end it when it says that it begins a step; gives its exit code."""
    process = subprocess.Popen(
        [sys.executable, "-m", "greynb", *words], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert process.stderr is not None
    with process, process.stderr:
        for line in process.stderr:
            if line.strip() == step:
                break
        process.send_signal(how)
        return process.wait()


def idle(address: str) -> bool:
    """Whether the server has noticed that the killed one is gone."""
    with psycopg.connect(address) as con:
        asked = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        return con.execute(asked).fetchall() == [(con.info.backend_pid,)]


def test_an_interrupt_from_the_terminal_leaves_nothing(stage, address):
    words = ["migrate", "--to-servers", "--staging", address, "--yes"]
    assert killed_at("copy rows", words, signal.SIGINT) == 130
    assert tables(address) == [] and (stage.parent / ".env").read_text() == ENV


def test_analytics_may_read_the_server_itself(stage, address):
    assert main(["migrate", "--to-servers", "--staging", address, "--analytics", address, "--yes"]) == 0
    assert Settings.current().route("analytics").mode == "single"


def test_the_way_back_that_is_killed_goes_on_when_it_is_repeated(stage, address):
    moved(stage, address)
    words = ["migrate", "--to-files", "--staging", "back.db", "--analytics", "back-read.db", "--yes"]
    killed_at("verify copy", words)
    assert str(Settings.current().route("staging").place) == address
    assert not stage.with_name("back.db").exists()
    assert main(words) == 0
    assert content_of(stage.with_name("back.db")) == content_of(stage)


def test_a_file_that_was_written_to_meanwhile_is_told_of_and_nothing_switched_until_it_is_repeated(
    stage, address
):
    def write(step: str, part: float) -> None:
        if step == "commit" and part == 1:
            change(stage, "INSERT INTO odds VALUES (1, -99)")

    with pytest.raises(DatabaseError, match=r"written to after it was copied \(odds\)"):
        to_servers(planned(stage, address), progress=write)
    assert (stage.parent / ".env").read_text() == ENV
    plan = planned(stage, address)
    assert plan.trial.repeated and "earlier run" in str(plan)
    to_servers(plan)
    with psycopg.connect(address) as con:
        assert con.execute("SELECT count(*) FROM odds WHERE price = -99").fetchall() == [(1,)]


def test_a_view_that_somebody_made_in_the_server_is_not_dropped_by_the_next_run(stage, address):
    stopped(stage, address, "check")
    with psycopg.connect(address) as con:
        con.execute("CREATE VIEW ours AS SELECT * FROM odds")
    change(stage, "DELETE FROM odds WHERE race = 3")
    with pytest.raises(UsageError, match=r"(?s)something there was made of them.*view ours"):
        moved(stage, address)
    with psycopg.connect(address) as con:
        assert con.execute("SELECT count(*) FROM ours").fetchall() == [(3000,)]
        con.execute("DROP VIEW ours")
    assert moved(stage, address).tables == 2


def test_rows_that_somebody_wrote_in_the_server_after_a_first_try_are_not_thrown_away(stage, address):
    stopped(stage, address, "check")
    with psycopg.connect(address) as con:
        con.execute("INSERT INTO odds VALUES (2, -100)")
    with pytest.raises(UsageError, match=r"(?s)earlier migration of this file.*differing: odds"):
        moved(stage, address)
    with psycopg.connect(address) as con:
        assert con.execute("SELECT count(*) FROM odds WHERE price = -100").fetchall() == [(1,)]


def test_a_second_run_says_that_it_is_done(stage, address, capsys):
    moved(stage, address)
    words = ["migrate", "--to-servers", "--staging", address, "--yes"]
    assert main(words) == 0
    assert "done already" in capsys.readouterr().out
    assert main(["migrate", "--to-files", "--staging", "back.db", "--analytics", "b.db", "--yes"]) == 0
    assert main(["migrate", "--to-files", "--staging", "back.db", "--analytics", "b.db", "--yes"]) == 0
    assert "done already" in capsys.readouterr().out


def test_going_back_uses_the_old_file_only_where_it_holds_the_same(stage, address):
    moved(stage, address)
    kept = shutil.copyfile(stage, stage.with_name("same.db"))
    plan = plan_files(kept, stage.with_name("b.db"), Settings.current())
    assert f"{kept} is there already: it is used if it holds the same" in str(plan)
    with psycopg.connect(address) as con:
        con.execute("DELETE FROM odds WHERE race = 1")
    with pytest.raises(UsageError, match=r"(?s)holds something else.*differing: odds"):
        to_files(plan, mirror=False)
    with psycopg.connect(address) as con:
        con.execute("INSERT INTO odds SELECT 1, 1 / 7::float8")
    assert to_files(plan, mirror=False).tables == 2


def test_a_server_that_was_written_to_meanwhile_is_told_of(stage, address):
    moved(stage, address)

    def write(step: str, part: float) -> None:
        if step == "place" and part == 0:
            with psycopg.connect(address) as con:
                con.execute("DELETE FROM odds WHERE race = 5")

    plan = plan_files(stage.with_name("back.db"), stage.with_name("b.db"), Settings.current())
    with pytest.raises(DatabaseError, match=r"written to after it was copied \(odds\)"):
        to_files(plan, mirror=False, progress=write)
    assert str(Settings.current().route("staging").place) == address
    to_files(plan, mirror=False)
    with closing(sqlite3.connect(stage.with_name("back.db"))) as con:
        assert con.execute("SELECT count(*) FROM odds WHERE race = 5").fetchall() == [(0,)]
