"""A table of PostgreSQL as far as loading into it needs to know it, in the terms of `load_table`."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from greynb.databases.identifiers import fold, quote
from greynb.databases.load_table import Column, Table
from greynb.databases.load_values import declared_type
from greynb.errors import LoadError
from greynb.postgres.catalog import columns_by_table

if TYPE_CHECKING:
    import psycopg

_TABLES: Final = ("r", "p")
_TYPES: Final = {
    "INTEGER": "bigint",
    "REAL": "double precision",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "NUMERIC": "numeric",
    "BLOB": "bytea",
}


def describe(con: psycopg.Connection[Any], name: str) -> Table | None:
    """Look a table up on the search path, as written or else in lower case; None where there is none.

    A name with a dot is a schema's and a table's.

    Raises
    ------
    LoadError
        The name is that of a view or another relation that takes no rows.
    """
    found = None
    for spelled in dict.fromkeys((name, name.lower())):
        text = ".".join(map(quote, spelled.split(".", 1)))
        found = (
            found
            or con.execute(
                "SELECT oid, relname, relkind, oid::regclass::text FROM pg_class WHERE oid = to_regclass(%s)",
                (text,),
            ).fetchone()
        )
    if found is None:
        return None
    oid, plain, kind, qualified = found
    if kind not in _TABLES:
        raise LoadError(f"{plain} is no table", hint="load into the table that it reads")
    columns = {
        fold(column): Column(column, declared, required, computed)
        for column, declared, required, computed in con.execute(
            "SELECT attname, format_type(atttypid, atttypmod),"
            " attnotnull AND NOT atthasdef AND attidentity = '', attgenerated <> '' OR attidentity = 'a'"
            " FROM pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            (oid,),
        )
    }
    unique = con.execute(
        "SELECT array_agg(a.attname::text)"
        " FILTER (WHERE i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL) FROM pg_index i"
        " CROSS JOIN unnest(i.indkey[0:i.indnkeyatts - 1]) AS k (attnum)"
        " LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum"
        " WHERE i.indrelid = %s AND (i.indisunique OR i.indisexclusion) GROUP BY i.indexrelid",
        (oid,),
    ).fetchall()
    return Table(qualified, columns, tuple(frozenset(map(fold, names or ())) for (names,) in unique))


def new_table(frame: pd.DataFrame, name: str, key: tuple[str, ...]) -> tuple[Table, str]:
    """Plan a table for a frame: what it will be, and the statement that creates it."""
    qualified = ".".join(map(quote, name.split(".", 1)))
    keys = frozenset(map(fold, key))
    columns = {
        fold(str(label)): Column(str(label), column_type(series), False, False)
        for label, series in frame.items()
    }
    lines = [f"{quote(each.name)} {each.declared}" for each in columns.values()]
    if key:
        lines.append(f"PRIMARY KEY ({', '.join(map(quote, key))})")
    return Table(qualified, columns, (keys,)), f"CREATE TABLE {qualified} ({', '.join(lines)})"


def column_type(series: pd.Series[Any]) -> str:
    """Name PostgreSQL's type for a column of a frame; text where its values are mixed."""
    dtype = series.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        return "timestamptz"
    if getattr(dtype, "kind", "") == "m":
        return "interval"
    declared = declared_type(series)
    if declared == "INTEGER" and len(series) and (series.dropna() >= 2**63).any():
        return "numeric"
    return _TYPES.get(declared, "text")


def missing_table(con: psycopg.Connection[Any], name: str) -> LoadError:
    """Build the error for a table that is not there, with the name that comes close."""
    close = get_close_matches(name.lower(), list(columns_by_table(con)), n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return LoadError(f"there is no table {name}{meant}", hint="say create=True to have it created")
