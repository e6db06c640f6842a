"""What a declared SQLite column type promises, and what DuckDB's scanner makes of it.

SQLite accepts any text as a declared type. The scanner of DuckDB 1.5.5 maps it by the first substring that
matches, in the order of `SCANNED_AS` (measured, and pinned by ``tests/databases/test_columns.py``).
"""

from __future__ import annotations

SCANNED_AS = (
    ("int", "BIGINT"),
    ("bool", "BIGINT"),
    ("char", "VARCHAR"),
    ("clob", "VARCHAR"),
    ("text", "VARCHAR"),
    ("blob", "BLOB"),
    ("real", "DOUBLE"),
    ("floa", "DOUBLE"),
    ("doub", "DOUBLE"),
)
SCANNED_AS_LAST = (("time", "TIMESTAMP"), ("dec", "DOUBLE"), ("num", "DOUBLE"))
STORED_AS = {"BIGINT": "integer", "DOUBLE": "real", "BLOB": "blob"}


def scanned_as(declared: str) -> str:
    """Name the DuckDB type that a direct scan gives a column of this declared type."""
    text = declared.strip().lower()
    for part, duckdb_type in SCANNED_AS:
        if part in text:
            return duckdb_type
    if text in ("", "date"):
        return "DATE" if text else "BLOB"
    return next((kind for part, kind in SCANNED_AS_LAST if part in text), "VARCHAR")


def usual_storage(declared: str) -> str:
    """Guess the storage class that a column of this declared type holds."""
    return STORED_AS.get(scanned_as(declared), "text")


def is_boolean(declared: str) -> bool:
    """Tell whether a column of 0 and 1 is meant as true and false."""
    text = declared.lower()
    return "bool" in text and "int" not in text


def promised(declared: str) -> str:
    """Name the type that a reader of the schema expects: the type of a column that holds only NULLs.

    Parameters
    ----------
    declared
        The text of the declared type, empty where there is none (also for most columns of views).
    """
    text = declared.strip().lower()
    if is_boolean(text):
        return "BOOLEAN"
    if not text:
        return "VARCHAR"
    scanned = scanned_as(text)
    if scanned == "VARCHAR" and "date" in text and not any(part in text for part, _ in SCANNED_AS):
        return "DATE"
    return scanned


def is_dated(declared: str) -> bool:
    """Tell whether text in a column of this declared type is worth a look for dates and times."""
    return promised(declared) in ("DATE", "TIMESTAMP")
