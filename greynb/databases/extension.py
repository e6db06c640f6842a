"""DuckDB's extensions, found in their wheels and never downloaded."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from greynb.errors import DatabaseError

Extension = Literal["sqlite_scanner", "ducklake", "postgres_scanner", "httpfs"]

_READS: Final[dict[str, str]] = {
    "sqlite_scanner": "SQLite",
    "ducklake": "DuckLake",
    "postgres_scanner": "PostgreSQL",
    "httpfs": "S3",
}


def has_extension(name: Extension = "sqlite_scanner") -> bool:
    """Whether an extension is there for the DuckDB that is installed."""
    try:
        extension_path(name)
    except DatabaseError:
        return False
    return True


def extension_path(name: Extension = "sqlite_scanner") -> Path:
    """An extension's file for the DuckDB that is installed.

    Parameters
    ----------
    name
        As DuckDB calls it.

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

    hint = f"pip install duckdb-extension-{name.replace('_', '-')}=={duckdb.__version__}"
    package = find_spec(f"duckdb_extension_{name}")
    if package is None or package.origin is None:
        raise DatabaseError(f"DuckDB's {_READS[name]} extension is not installed", hint=hint)
    folder = Path(package.origin).parent / "extensions"
    path = folder / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    if not path.is_file():
        found = ", ".join(sorted(each.name for each in folder.glob("v*"))) or "none"
        raise DatabaseError(
            f"DuckDB is {duckdb.__version__}, but its {_READS[name]} extension is for {found}", hint=hint
        )
    return path
