"""A PostgreSQL database attached to DuckDB, read-only, with its tables as views; errors hold no password.

The password goes in as a secret of the engine, which shows it to nobody; all else as a connection string.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import duckdb

from greynb.databases.catalog import drop_others
from greynb.databases.engine import extended_instance, lock
from greynb.databases.extension import has_extension
from greynb.databases.identifiers import fold, literal, quote
from greynb.databases.outline import Column, Table
from greynb.databases.relations import first_line, stop_if_interrupted
from greynb.databases.reports import ColumnReport, TableReport
from greynb.errors import DatabaseError, UsageError
from greynb.postgres.connecting import connect
from greynb.postgres.secret import attachable

if TYPE_CHECKING:
    from greynb.routing import Server

ALIAS: Final = "__greynb_postgres"
"""The name under which the database is attached; the gate refuses it in statements."""
_LISTING: Final = """
    SELECT n.nspname, c.relname, c.relkind IN ('v', 'm') AS is_view, a.attname,
        format_type(a.atttypid, a.atttypmod) AS declared,
        t.typname = 'numeric' AND (a.atttypmod < 0 OR ((a.atttypmod - 4) >> 16) & 65535 > 38) AS is_rounded
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND pg_table_is_visible(c.oid) AND c.relpersistence <> 't'
        AND n.nspname NOT IN ('pg_catalog', 'information_schema')
        AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname, a.attnum
"""
_ROUNDED: Final = "{}.{} is numeric without a fixed size: read as DOUBLE, whose numbers have about 15 digits"


class Attached:
    """A DuckDB with the database attached, which can open nothing else.

    Parameters
    ----------
    server
        The database.
    settings
        DuckDB's.

    Raises
    ------
    DatabaseError
        The server cannot be reached or refuses, or DuckDB's extension is missing.
    """

    def __init__(self, server: Server, settings: Mapping[str, str | int]) -> None:
        if not has_extension("postgres_scanner"):
            raise UsageError(
                "analytics on PostgreSQL needs DuckDB's extension, which is not installed",
                hint='pip install "greynb[postgres]"',
            )
        # The driver says in words what is wrong, and in time; DuckDB would print the connection string.
        connect(server).close()
        self._server = server
        self._label = f"greynb-{secrets.token_hex(8)}"
        self.con = extended_instance("postgres_scanner", **settings)
        try:
            self._attach()
        except BaseException:
            self.con.close()
            raise
        lock(self.con, ())

    def cancel(self) -> None:
        """Stop what runs for this engine in the server, which does not hear of DuckDB's interrupt."""
        import psycopg

        with suppress(DatabaseError, psycopg.Error), connect(self._server) as con:
            con.execute(
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = %s AND state = 'active'",
                (self._label,),
            )

    def _attach(self) -> None:
        given = attachable(self.con, self._server, ALIAS, application_name=self._label)
        failed = None
        try:
            options = f"TYPE postgres, SECRET {ALIAS}, READ_ONLY, HIDDEN"
            self.con.execute(f"ATTACH {literal(given)} AS {quote(ALIAS)} ({options})")
        except duckdb.Error as error:
            stop_if_interrupted(error)
            failed = type(error).__name__
        if failed:  # DuckDB's own words repeat the connection string
            raise DatabaseError(f"DuckDB cannot attach the server: {failed}", path=self._server.name)


@dataclass(frozen=True, slots=True)
class _Relation:
    schema: str
    name: str
    is_view: bool
    columns: tuple[tuple[str, str, bool], ...]


class PostgresCatalog:
    """The tables and views on the search path, as views of DuckDB.

    Parameters
    ----------
    con
        Where the database is attached; its current catalog and schema take the views.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self._relations: dict[str, _Relation] = {}
        self._told: set[str] = set()

    def refresh(self) -> None:
        """Have a view for each table and view that is there now; raises `duckdb.Error`."""
        found = self._listed()
        if found == self._relations:
            return
        if self._relations:
            self._con.execute("CALL pg_clear_cache()")
        for each in found.values():
            source = f"{quote(ALIAS)}.{quote(each.schema)}.{quote(each.name)}"
            self._con.execute(f"CREATE OR REPLACE VIEW analytics.main.{quote(each.name)} AS FROM {source}")
        drop_others(self._con, found)
        self._relations, self._told = found, set()

    def ensure(self, names: Iterable[str]) -> tuple[str, ...]:
        """What is to be said of the named tables, the first time."""
        keys = [key for key in dict.fromkeys(map(fold, names)) if key in self._relations]
        new = [self._relations[key] for key in keys if key not in self._told]
        self._told.update(keys)
        return tuple(
            _ROUNDED.format(each.name, column)
            for each in new
            for column, _, is_rounded in each.columns
            if is_rounded
        )

    def recover(self, error: Exception, names: Iterable[str]) -> bool:
        """There is no other way to read."""
        return False

    def __contains__(self, name: object) -> bool:
        """Whether there is a table or view of that name, in any case."""
        return isinstance(name, str) and fold(name) in self._relations

    def outline(self) -> list[Table]:
        """The tables and views with their columns, for completion."""
        return [
            Table(each.name, _kind(each), tuple(Column(name, kind) for name, kind, _ in each.columns))
            for each in self._relations.values()
        ]

    def tables(self) -> list[TableReport]:
        """List the tables and views; their rows are not counted."""
        return [
            TableReport(each.name, _kind(each), None, len(each.columns)) for each in self._relations.values()
        ]

    def columns(self, table: str) -> list[ColumnReport]:
        """Report the columns of one table; its rows are counted.

        Raises
        ------
        KeyError
            There is no such table.
        """
        each = self._relations[fold(table)]
        counts = ", ".join(f"count({quote(name)})" for name, _, _ in each.columns)
        view = f"analytics.main.{quote(each.name)}"
        ((rows, *filled),) = self._con.execute(f"SELECT count(*), {counts} FROM {view}").fetchall()
        types = {row[0]: str(row[1]) for row in self._con.execute(f"DESCRIBE FROM {view}").fetchall()}
        return [
            ColumnReport(each.name, name, declared, types[name], rows, rows - count, is_rounded, ())
            for (name, declared, is_rounded), count in zip(each.columns, filled, strict=True)
        ]

    def _listed(self) -> dict[str, _Relation]:
        columns: dict[tuple[str, str, bool], list[Any]] = {}
        sql = f"FROM postgres_query({literal(ALIAS)}, {literal(_LISTING)})"
        for schema, name, is_view, *column in self._con.execute(sql).fetchall():
            columns.setdefault((schema, name, is_view), []).append(tuple(column))
        return {fold(each[1]): _Relation(*each, tuple(found)) for each, found in columns.items()}


def said(error: duckdb.Error) -> str:
    """The first line of what DuckDB says of the server, without the query that it sent."""
    return first_line(error).partition('": ERROR:')[2].strip() or first_line(error)


def _kind(relation: _Relation) -> str:
    return "view" if relation.is_view else "table"
