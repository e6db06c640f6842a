"""A SQLite file brought into PostgreSQL for a moment, and back, in a transaction that is never committed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

from greynb.migration.contents import content_of
from greynb.migration.servers.bringing import bring
from greynb.migration.servers.restoring import restore
from greynb.migration.servers.session import writing
from greynb.migration.servers.sqliteschema import read_schema
from greynb.publish.steps import Steps
from greynb.routing import Server

Row = tuple[object, ...]


def made(path: Path, script: str) -> Path:
    """A new file, made by a script."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.executescript(script)
    return path


@contextmanager
def brought(path: Path, server: Server) -> Iterator[tuple[psycopg.Connection[Row], list[str]]]:
    """The transaction in which the file's tables are there, and what is not, with the reasons."""
    with closing(sqlite3.connect(path, isolation_level=None)) as lite, writing(server) as con:
        lefts, notices = bring(con, lite, read_schema(lite), content_of(path), path, Steps(None))
        yield con, [*map(str, lefts), *notices]


def returned(path: Path, server: Server) -> Path:
    """The file that is made of what PostgreSQL has of it."""
    back = path.with_name("back.db")
    back.unlink(missing_ok=True)
    with brought(path, server) as (con, _):
        restore(con, back, lambda _: None)
    return back
