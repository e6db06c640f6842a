"""A SQLite file as an analytics session attaches it, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from greynb.databases.catalog import Catalog
from greynb.databases.extension import extension_path
from greynb.databases.identifiers import literal
from greynb.databases.relations import TableCensus

ALIAS = "__greynb_1"


@contextmanager
def attached(
    path: Path, census: dict[str, TableCensus] | None = None
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Catalog]]:
    """Give a locked in-memory DuckDB over the file, and its open catalog."""
    with duckdb.connect(config={"threads": 2}) as con:
        con.execute(f"LOAD {literal(str(extension_path()))}")
        con.execute("SET sqlite_disable_multithreaded_scans = true")
        con.execute(f"ATTACH {literal(str(path))} AS {ALIAS} (TYPE sqlite, READ_ONLY, HIDDEN)")
        con.execute("ATTACH ':memory:' AS analytics; USE analytics")
        con.execute("SET enable_external_access = false; SET lock_configuration = true")
        catalog = Catalog(con, ALIAS, census=census)
        catalog.open()
        yield con, catalog
