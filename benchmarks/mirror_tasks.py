"""What mirror.py measures beside the twelve questions. Times are in seconds, peaks of memory in MB."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import sqlite3
import statistics
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

ROWS = 200_000
AGAIN = 15
TEN_THOUSAND = (
    "SELECT race_id, dog_clean_name, predicted_probability, prediction_source, timestamp"
    " FROM predictions ORDER BY predicted_probability DESC, id LIMIT 10000"
)
TABLE = """
CREATE TABLE starters (
    id INTEGER PRIMARY KEY, race_id TEXT NOT NULL, dog TEXT NOT NULL, box INTEGER CHECK (box BETWEEN 1 AND 8),
    price REAL CHECK (price > 1), day DATE NOT NULL, UNIQUE (race_id, box)
)"""


def peak() -> float:
    """The most memory that this process has had, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def cached(folder: Path) -> dict[str, Any]:
    """A cell with 10,000 rows computed, and answered from the result cache."""
    from greynb.databases.resultcache import WRITER

    cell = _notebook()
    cell(f"%config Greynb.cache_folder = {str(folder / 'results')!r}")
    cell("%%analytics df\nSELECT count(*) AS n FROM venue_mappings")
    computed = cell(f"%%analytics df\n{TEN_THOUSAND}")
    for thread in threading.enumerate():
        if thread.name == WRITER:
            thread.join()
    again = [cell(f"%%analytics df\n{TEN_THOUSAND}") for _ in range(AGAIN)]
    cell("assert 'cache' in df.attrs['greynb'] and len(df) == 10_000")
    return {"computed": computed, "cached": statistics.median(again)}


def first_cell(_folder: Path) -> dict[str, Any]:
    """Loading the extension and the first cell, in a new shell."""
    cell = _notebook(load=False)
    return {
        "seconds": cell("%load_ext greynb") + cell("%%analytics df\nSELECT count(*) AS n FROM race_metadata")
    }


def imports(_folder: Path) -> dict[str, Any]:
    """Importing DuckDB and pandas, in a new shell."""
    return {"seconds": _notebook(load=False)("import duckdb, pandas")}


def load(folder: Path) -> dict[str, Any]:
    """Load a frame with `greynb.load`."""
    import greynb

    return _loaded(folder / "stage.db", lambda frame, _path: greynb.load(frame, "starters"))


def to_sql(folder: Path) -> dict[str, Any]:
    """Load it with pandas over a connection of sqlite3."""

    def load_it(frame: Any, path: Path) -> None:
        with closing(sqlite3.connect(path)) as con:
            frame.to_sql("starters", con, if_exists="append", index=False)
            con.commit()

    return _loaded(folder / "to_sql.db", load_it)


def to_sql_engine(folder: Path) -> dict[str, Any]:
    """Load it with pandas over an engine of SQLAlchemy, which pandas recommends."""
    from sqlalchemy import create_engine

    def load_it(frame: Any, path: Path) -> None:
        with create_engine(f"sqlite:///{path}").begin() as con:
            frame.to_sql("starters", con, if_exists="append", index=False)

    return _loaded(folder / "to_sql_engine.db", load_it)


def executemany(folder: Path) -> dict[str, Any]:
    """Load it by hand: its columns as lists, one executemany, one transaction."""

    def load_it(frame: Any, path: Path) -> None:
        with closing(sqlite3.connect(path)) as con, con:
            rows = zip(*(frame[name].tolist() for name in frame.columns), strict=True)
            con.executemany("INSERT INTO starters VALUES (?, ?, ?, ?, ?, ?)", rows)

    return _loaded(folder / "executemany.db", load_it)


def copy_database(folder: Path) -> dict[str, Any]:
    """DuckDB's own copy of a whole SQLite file; as text, because it stops at the collector's types."""
    import duckdb

    from greynb.databases.extension import extension_path

    target = folder / "copied.duckdb"
    target.unlink(missing_ok=True)
    begun = time.perf_counter()
    with duckdb.connect() as con:
        con.execute(f"LOAD '{extension_path()}'")
        con.execute("SET sqlite_all_varchar = true")
        con.execute(f"ATTACH '{folder / 'analytics.db'}' AS season (TYPE sqlite, READ_ONLY)")
        con.execute(f"ATTACH '{target}' AS copied")
        con.execute("COPY FROM DATABASE season TO copied")
    return {"seconds": time.perf_counter() - begun, "megabytes": peak()}


def mirror(folder: Path) -> dict[str, Any]:
    """Build the mirror of the published version, its census included; nothing where greynb has none yet."""
    if importlib.util.find_spec("greynb.mirror") is None:
        return {}
    build = importlib.import_module("greynb.mirror").build
    target = folder / "mirror.duckdb"
    target.unlink(missing_ok=True)
    begun = time.perf_counter()
    build((folder / "analytics.db").resolve(), target)
    return {"seconds": time.perf_counter() - begun, "megabytes": peak()}


def _notebook(*, load: bool = True) -> Callable[[str], float]:
    """A new shell; what is given runs a cell in it and gives the seconds."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()

    def run(cell: str) -> float:
        with contextlib.redirect_stdout(io.StringIO()):
            begun = time.perf_counter()
            shell.run_cell(cell, store_history=False).raise_error()
            return time.perf_counter() - begun

    if load:
        run("%load_ext greynb")
    return run


def _loaded(path: Path, how: Callable[[Any, Path], object]) -> dict[str, Any]:
    """Time how a frame of 200,000 rows goes into an empty table with constraints, in WAL."""
    import pandas as pd

    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as con:
        con.execute("PRAGMA journal_mode = WAL")
        con.execute(TABLE)
    places = range(ROWS)
    frame = pd.DataFrame(
        {
            "id": places,
            "race_id": [f"race-{n // 8}" for n in places],
            "dog": [f"DOG {n % 5_000}" for n in places],
            "box": [n % 8 + 1 for n in places],
            "price": [1.5 + n % 97 / 4 for n in places],
            "day": [f"2025-{n // 8 % 12 + 1:02d}-{n // 96 % 28 + 1:02d}" for n in places],
        }
    )
    begun = time.perf_counter()
    how(frame, path)
    taken = time.perf_counter() - begun
    with closing(sqlite3.connect(path)) as con:
        assert con.execute("SELECT count(*), sum(box) FROM starters").fetchone() == (ROWS, ROWS * 9 // 2)
    return {"seconds": taken}


TASKS: dict[str, Callable[[Path], dict[str, Any]]] = {
    each.__name__: each
    for each in (
        *(cached, first_cell, imports),
        *(load, to_sql, to_sql_engine, executemany),
        *(copy_database, mirror),
    )
}
