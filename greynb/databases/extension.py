"""DuckDB's SQLite extension, found in its wheel and never downloaded."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from greynb.errors import DatabaseError

PACKAGE = "duckdb_extension_sqlite_scanner"


def has_extension() -> bool:
    """Whether the extension is there for the DuckDB that is installed."""
    try:
        extension_path()
    except DatabaseError:
        return False
    return True


def extension_path() -> Path:
    """The extension's file for the DuckDB that is installed.

    Returns
    -------
    Path
        A file to ``LOAD``. DuckDB checks its signature and that it was built for this very version.

    Raises
    ------
    DatabaseError
        The wheel is missing, or holds the extension of another DuckDB version.
    """
    import duckdb

    package = find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise DatabaseError(
            "DuckDB's SQLite extension is not installed",
            hint=f"pip install duckdb-extension-sqlite-scanner=={duckdb.__version__}",
        )
    folder = Path(package.origin).parent / "extensions"
    path = folder / f"v{duckdb.__version__}" / "sqlite_scanner.duckdb_extension"
    if not path.is_file():
        found = ", ".join(sorted(each.name for each in folder.glob("v*"))) or "none"
        raise DatabaseError(
            f"DuckDB is {duckdb.__version__}, but its SQLite extension is for {found}",
            hint=f"pip install duckdb-extension-sqlite-scanner=={duckdb.__version__}",
        )
    return path
