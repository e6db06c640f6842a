"""A locked DuckDB session over a real analytics file, with a staging file and a CSV file beside it."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import duckdb

from greynb.databases.extension import extension_path
from greynb.databases.identifiers import literal, quote

SECRET = "the-secret-of-staging"
CSV_SECRET = "the-secret-of-the-csv"


@dataclass(frozen=True)
class Fort:
    """The session, the folder of its files, and what they hold."""

    con: duckdb.DuckDBPyConnection
    folder: Path
    contents: dict[str, str]

    def unchanged(self) -> bool:
        """Whether every file of the folder is byte for byte what it was, and no other has appeared."""
        return fingerprints(self.folder) == self.contents


def fingerprints(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in folder.iterdir()
    }


def build(folder: Path) -> Fort:
    """Make the files, and the session as the analytics side builds it."""
    _sqlite(
        folder / "analytics.db",
        "CREATE TABLE races (id INTEGER PRIMARY KEY, venue TEXT, distance REAL, raced TEXT);"
        "INSERT INTO races VALUES (1,'WPK',515.0,'2025-07-01'),(2,'MEA',525.0,'2025-07-02'),"
        "(3,'WPK',600.0,'2025-08-01');"
        "CREATE TABLE runners (race_id INTEGER, box INTEGER, dog TEXT, odds REAL, won INTEGER);"
        "INSERT INTO runners VALUES (1,1,'Ash',2.5,1),(1,2,'Bolt',4.0,0),(2,1,'Cleo',1.8,0),"
        "(2,8,'Dash',9.0,1),(3,4,'Ash',3.2,1),(3,5,'Echo',NULL,0);",
    )
    _sqlite(folder / "staging.db", f"CREATE TABLE hidden (x TEXT); INSERT INTO hidden VALUES ('{SECRET}');")
    (folder / "form.csv").write_text(f"a,b\n1,{CSV_SECRET}\n")
    con = duckdb.connect(
        ":memory:",
        config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"},
    )
    con.execute(f"LOAD {literal(str(extension_path()))}")
    con.execute("SET sqlite_disable_multithreaded_scans = true")
    con.execute(f"ATTACH {literal(str(folder / 'analytics.db'))} AS __greynb_1 (TYPE sqlite, READ_ONLY)")
    con.execute("ATTACH ':memory:' AS analytics; USE analytics")
    for table in ("races", "runners"):
        con.execute(f"CREATE VIEW {quote(table)} AS FROM __greynb_1.{quote(table)}")
    con.execute("SET enable_external_access = false; SET lock_configuration = true")
    return Fort(con, folder, fingerprints(folder))


def _sqlite(path: Path, script: str) -> None:
    con = sqlite3.connect(path)
    con.executescript(script)
    con.close()
