"""A statement of DuckDB's SQL as one for Spark, or the reason why it is not run there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify

from greynb.spark.queries import Queries
from greynb.spark.typed import refuse

KINDS: Final = {
    "BOOLEAN": "bool",
    "TINYINT": "int",
    "SMALLINT": "int",
    "INTEGER": "int",
    "BIGINT": "int",
    "DOUBLE": "double",
    "VARCHAR": "text",
    "DATE": "date",
    "TIMESTAMP": "stamp",
    "BLOB": "blob",
}
"""DuckDB's types that Spark is known to read alike, and their kinds."""


@dataclass(frozen=True, slots=True)
class Translation:
    """A statement for Spark.

    Attributes
    ----------
    sql
        Its text, with ``:name`` for parameters.
    kinds
        Of its columns; see `greynb.spark.typed`.
    values
        The values to bind.
    is_open
        Whether which rows come is left open: LIMIT without ORDER BY.
    """

    sql: str
    kinds: tuple[str, ...]
    values: Mapping[str, Any]
    is_open: bool


def translate(
    sql: str,
    tables: Mapping[str, Mapping[str, str]],
    views: Mapping[str, str],
    parameters: Mapping[str, object] | None = None,
) -> Translation:
    """Translate one query.

    Parameters
    ----------
    sql
        In DuckDB's SQL; parameters as ``$name``.
    tables
        DuckDB's type of each column of the tables that it names; names in lower case.
    views
        What each table is called in Spark.
    parameters
        Values by name.

    Raises
    ------
    Unsupported
        It could give something else on Spark than in DuckDB, or is not known not to.
    """
    try:
        qualified = qualify(
            sqlglot.parse_one(sql, dialect="duckdb"),
            schema={name: dict(columns) for name, columns in tables.items()},
            dialect="duckdb",
            validate_qualify_columns=False,
        )
        tree = cast("exp.Expression", qualified)
    except (SqlglotError, RecursionError):
        refuse("a statement that sqlglot does not understand", "write it with plainer SQL")
    kinds = {
        name: {each: KINDS.get(kind, f"?{kind}") for each, kind in of.items()} for name, of in tables.items()
    }
    values = {name: value for name, value in (parameters or {}).items() if _names(tree, name)}
    query = Queries(kinds, views, {name: _kind(name, value) for name, value in values.items()}).of(
        tree, top=True
    )
    is_open = bool(tree.args.get("limit") or tree.args.get("offset")) and not tree.args.get("order")
    return Translation(query.sql, tuple(query.columns.values()), values, is_open)


def _names(tree: exp.Expression, name: str) -> bool:
    return any(each.name == name for each in tree.find_all(exp.Placeholder))


def _kind(name: str, value: object) -> str:
    for kinds, kind in _VALUES:
        if isinstance(value, kinds):
            return kind
    return refuse(f"the parameter ${name}, of type {type(value).__name__}", "write the value out")


_VALUES: Final = (
    (type(None), "null"),
    (bool, "bool"),
    (int, "int"),
    (float, "double"),
    (str, "text"),
    (dt.datetime, "stamp"),
    (dt.date, "date"),
)
