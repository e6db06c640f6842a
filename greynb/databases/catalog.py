"""What users see of an attached SQLite file: one typed DuckDB view per table, view and virtual table.

A view is cheap until a statement names it: `Catalog.open` creates views of plain text, `Catalog.ensure`
counts what the named tables hold (or takes the census that came with the file) and replaces their views by
typed ones. The file is a still version, so nothing is ever counted twice.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace

import duckdb

from greynb.databases.census import count
from greynb.databases.collation import collation_notices
from greynb.databases.columns import is_widened, unique_names
from greynb.databases.identifiers import fold, quote
from greynb.databases.outline import Table, outline_of
from greynb.databases.relations import (
    REFUSALS,
    ColumnCensus,
    TableCensus,
    first_line,
    list_relations,
    run_inside,
    same_columns,
    stop_if_interrupted,
)
from greynb.databases.reports import ColumnReport, TableReport, column_reports, widening_notice
from greynb.databases.views import provisional_view, refusing_view, typed_views
from greynb.errors import UnreadableDatabase

NO_ROWID = "no such column: ROWID"
"""What a direct scan of a table WITHOUT ROWID says where no column is asked for, as by ``count(*)``."""
MISREAD = (duckdb.InvalidInputException, duckdb.TypeMismatchException, duckdb.ConversionException)


class Catalog:
    """The typed views over one attached SQLite file.

    Parameters
    ----------
    con
        A connection whose current catalog and schema take the views.
    alias
        The name under which the file is attached.
    census
        What its tables hold, where that is known already (from a manifest); by name.
    only
        The tables to show, by name, beside views that others have made; all without it.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        alias: str,
        *,
        census: Mapping[str, TableCensus] | None = None,
        only: Container[str] | None = None,
    ) -> None:
        self._con = con
        self._alias = alias
        self._given = dict(census or {})
        self._only = only
        self._tables: dict[str, TableCensus] = {}
        self._shown: dict[str, str] = {}
        self._typed: set[str] = set()
        self._outline: list[Table] | None = None
        self._schema = ""

    def open(self) -> None:
        """Create a view for every table, view and virtual table, without reading any row; drop all others.

        Raises
        ------
        UnreadableDatabase
            The SQLite inside DuckDB cannot read the file's schema.
        """
        self._schema = current_schema(self._con)
        try:
            relations = list_relations(self._run)
        except REFUSALS as error:
            stop_if_interrupted(error)
            raise UnreadableDatabase(
                f"DuckDB's SQLite cannot read the schema: {first_line(error)}",
                hint="it is older than what wrote the file: drop or rewrite the view or index that it names",
            ) from error
        shown = unique_names(relations, "table")
        named = list(zip(shown, relations.values(), strict=True))
        if self._only is not None:
            named = [(name, table) for name, table in named if table.name in self._only]
        self._outline = None
        self._shown = {fold(name): name for name, _ in named}
        self._tables = {fold(name): table for name, table in named}
        for key, table in self._tables.items():
            self._open_one(key, table)
        if self._only is None:
            drop_others(self._con, self._tables)

    def ensure(self, names: Iterable[str]) -> tuple[str, ...]:
        """Give the views of the named tables their types.

        Parameters
        ----------
        names
            As a statement spells them, in any case; names of anything else are passed over.

        Returns
        -------
        tuple of str
            A notice per column that is read as something else than declared, or compared in another way
            than SQLite does, the first time.
        """
        keys = [key for key in dict.fromkeys(map(fold, names)) if key in self._tables]
        return tuple(notice for key in keys if key not in self._typed for notice in self._type_one(key))

    def recover(self, error: Exception, names: Iterable[str]) -> bool:
        """Read the named tables in the most careful way after a statement failed.

        Parameters
        ----------
        error
            What DuckDB raised.
        names
            The tables that the statement names.

        Returns
        -------
        bool
            Whether running the statement again makes sense.
        """
        keys = {key for key in map(fold, names) if key in self._typed}
        if isinstance(error, duckdb.InternalException) or NO_ROWID in str(error):
            return sum(self._avoid_scan(key) for key in sorted(keys)) > 0
        if not isinstance(error, MISREAD):
            return False
        return sum(self._count_again(key) for key in sorted(keys)) > 0  # all of them, not until the first

    def __contains__(self, name: object) -> bool:
        """Whether the file has a table or view of that name, in any case."""
        return isinstance(name, str) and fold(name) in self._tables

    def tables(self) -> list[TableReport]:
        """List the tables, views and virtual tables."""
        return [
            TableReport(self._shown[key], table.kind, table.rows, len(table.columns), table.problem)
            for key, table in self._tables.items()
        ]

    def outline(self) -> list[Table]:
        """Name the columns of all tables, without counting anything."""
        if self._outline is None:
            self._outline = [outline_of(self._shown[key], table) for key, table in self._tables.items()]
        return self._outline

    def columns(self, table: str) -> list[ColumnReport]:
        """Report the columns of one table: types declared and chosen, NULLs, and what forced a wider type.

        Parameters
        ----------
        table
            Its name, in any case.

        Raises
        ------
        KeyError
            There is no such table.
        """
        key = fold(table)
        self.ensure([table])
        return column_reports(self._run, self._tables[key], self._shown[key])

    def close(self) -> None:
        """Drop the views."""
        for name in self._shown.values():
            self._con.execute(f"DROP VIEW IF EXISTS {self._qualified(name)}")
        self._tables, self._shown, self._typed = {}, {}, set()

    def _run(self, sql: str) -> Sequence[Sequence[object]]:
        return run_inside(self._con, self._alias, sql)

    def _open_one(self, key: str, table: TableCensus) -> None:
        given = self._given.get(table.name)
        if given is not None and not given.problem and same_columns(given, table):
            self._tables[key] = given
        try:
            self._create(key, refusing_view(table) if table.problem else provisional_view(self._alias, table))
        except duckdb.Error as error:
            stop_if_interrupted(error)
            self._tables[key] = replace(table, problem=first_line(error))
            self._create(key, refusing_view(self._tables[key]))

    def _type_one(self, key: str) -> list[str]:
        table = self._tables[key]
        if table.rows is None:
            table = count(self._run, table)
        for select in () if table.problem else typed_views(self._con, self._alias, table):
            try:
                self._create(key, select)
                break
            except duckdb.Error as error:
                stop_if_interrupted(error)
                refused = first_line(error)
        else:
            table = replace(table, problem=table.problem or refused)
            self._create(key, refusing_view(table))
        self._tables[key] = table
        self._typed.add(key)
        self._outline = None
        widened = [widening_notice(self._shown[key], each) for each in table.columns if is_widened(each)]
        return widened + collation_notices(self._run, table, self._shown[key])

    def _avoid_scan(self, key: str) -> bool:
        """Read a table through SQLite's text from now on: some plans over direct scans crash in DuckDB.

        For one, a CTE used twice under a LIMIT (duckdb-sqlite issue 212).
        """
        *faster, slowest = typed_views(self._con, self._alias, self._tables[key])
        if faster and not self._tables[key].problem:
            self._create(key, slowest)
        return bool(faster)

    def _count_again(self, key: str) -> bool:
        """Replace a census that came with the file, if the file says otherwise."""
        before = self._tables[key]
        uncounted = tuple(ColumnCensus(column.name, column.declared) for column in before.columns)
        after = count(self._run, replace(before, columns=uncounted, problem=None))
        if after == before:
            return False
        self._tables[key] = after
        self._type_one(key)
        return True

    def _create(self, key: str, select: str) -> None:
        self._con.execute(f"CREATE OR REPLACE VIEW {self._qualified(self._shown[key])} AS {select}")

    def _qualified(self, name: str) -> str:
        return f"{self._schema}.{quote(name)}"


def current_schema(con: duckdb.DuckDBPyConnection) -> str:
    """The quoted name of the schema that takes the views of a connection."""
    ((database, schema),) = con.execute("SELECT current_database(), current_schema()").fetchall()
    return f"{quote(str(database))}.{quote(str(schema))}"


def drop_others(con: duckdb.DuckDBPyConnection, kept: Container[str]) -> None:
    """Drop the views of the current schema that are not to be kept, such as those of an older version.

    Parameters
    ----------
    con
        Where the views are.
    kept
        Folded names.
    """
    for (name,) in con.execute(
        "SELECT view_name FROM duckdb_views() WHERE NOT internal"
        " AND database_name = current_database() AND schema_name = current_schema()"
    ).fetchall():
        if fold(name) not in kept:
            con.execute(f"DROP VIEW IF EXISTS {current_schema(con)}.{quote(name)}")
