"""`greynb migrate --to-servers` and `--to-files`, by the command itself, with a season like the demo's."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from greynb import api
from greynb.cli import main
from greynb.connections import analytics_session, close_all
from greynb.demo.season import season
from greynb.demo.write import write_season
from greynb.migration.contents import content_of
from greynb.routing import Settings
from tests.scale.server import PostgresServer

pytest.importorskip("duckdb_extension_ducklake")

STAGE = "greyhound_racing_data_stage.db"
ANALYTICS = "greyhound_racing_data_analytics.db"
MORE = """
    CREATE TABLE bets (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        race INTEGER NOT NULL REFERENCES meetings (id) ON DELETE CASCADE,
        "Stake" DECIMAL(6, 2) DEFAULT 5 CHECK ("Stake" >= 0),
        placed DATETIME DEFAULT CURRENT_TIMESTAMP,
        note TEXT DEFAULT 'none' CHECK (note NOT LIKE '%?%'),
        twice REAL GENERATED ALWAYS AS (Stake * 2) VIRTUAL,
        won BOOLEAN CHECK (won IN (0, 1)),
        UNIQUE (race, note)
    );
    CREATE TABLE meetings (id INTEGER PRIMARY KEY, venue TEXT COLLATE NOCASE, held DATE NOT NULL);
    CREATE INDEX late ON bets (placed DESC) WHERE won = 1;
    CREATE INDEX by_venue ON meetings (venue);
    CREATE VIEW staked AS SELECT b.id, b.Stake FROM bets b WHERE b."Stake" > 5;
    CREATE VIEW monthly AS SELECT strftime('%Y-%m', placed) AS month, count(*) AS n FROM bets GROUP BY 1;
    CREATE TRIGGER gone AFTER DELETE ON meetings BEGIN DELETE FROM bets WHERE race = old.id; END;
    INSERT INTO meetings VALUES (1, 'Sandown', '2025-07-01'), (2, 'The Meadows', '2025-07-02');
    INSERT INTO bets (id, race, "Stake", placed, note, won) VALUES
        (1, 1, 5, '2025-07-01T10:30:00.250000', 'a', 1), (2, 1, 5.5, '2025-07-01T10:30:00', '', 0),
        (7, 9, 20, NULL, 'orphan', NULL);
    DELETE FROM bets WHERE id = 99;
    UPDATE sqlite_sequence SET seq = 40 WHERE name = 'bets';
    PRAGMA user_version = 7;
    PRAGMA application_id = 11;
"""


@dataclass(frozen=True)
class Place:
    """A folder whose ``.env`` names two files, and two empty databases to go to."""

    folder: Path
    staging: str
    lake: str

    @property
    def stage(self) -> Path:
        return self.folder / STAGE

    def to_servers(self, *more: str) -> int:
        places = "--staging", self.staging, "--analytics", self.lake
        return main(["migrate", "--to-servers", *places, *(more or ("--yes",))])

    def route(self, role: str) -> object:
        return Settings.from_environ({}, self.folder).route(role).place  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("season") / STAGE
    write_season(path, season(40))
    with closing(sqlite3.connect(path)) as con:
        con.executescript(MORE)
    return path


@pytest.fixture
def place(
    template: Path, postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    folder = tmp_path / "races"
    folder.mkdir()
    shutil.copyfile(template, folder / STAGE)
    (folder / ".env").write_text(f"# ours\nSTAGING_DB_PATH={STAGE}\nANALYTICS_DB_PATH={ANALYTICS}\n")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PGPASSWORD", postgres.password)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LAKE_DATA_PATH", str(tmp_path / "lake"))
    made = [without_password(postgres, postgres.database()) for _ in range(2)]
    yield Place(folder, made[0], f"ducklake:{made[1]}")
    close_all()


def without_password(postgres: PostgresServer, database: str) -> str:
    return postgres.url(database).replace(f":{postgres.password}@", "@")


def test_a_season_goes_to_servers_and_comes_back_the_same(place: Place, capsys: pytest.CaptureFixture[str]):
    before = content_of(place.stage)
    bytes_before = place.stage.read_bytes()
    assert place.to_servers() == 0
    assert place.stage.read_bytes() == bytes_before
    assert str(place.route("staging")) == place.staging
    assert str(place.route("analytics")) == place.lake
    assert (place.folder / ".env.before-migrate").read_text().startswith("# ours\nSTAGING_DB_PATH=grey")
    shown = capsys.readouterr().out
    assert "16 tables" in shown and "published as lake-000001" in shown
    session = analytics_session(Settings.current().route("analytics"))
    (counted,) = session.run('SELECT count(*) AS n, sum("Stake") AS staked FROM bets')
    assert counted.frame is not None and counted.frame.iloc[0].tolist() == [3, 30.5]

    assert main(["migrate", "--to-files", "--staging", "back.db", "--analytics", "read.db", "--yes"]) == 0
    assert "published as gen-000001" in capsys.readouterr().out
    assert place.route("staging") == place.folder / "back.db"
    assert content_of(place.folder / "back.db") == content_of(place.folder / "read.db") == before
    with closing(sqlite3.connect(place.folder / "back.db")) as con:
        assert con.execute("SELECT seq FROM sqlite_sequence WHERE name = 'bets'").fetchone() == (40,)
        assert con.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert api.verify().equal
