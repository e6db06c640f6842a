"""What users see of a mirror: one DuckDB view per table, as `Catalog` gives of a SQLite file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

import duckdb

from greynb.databases.catalog import Catalog, current_schema, drop_others
from greynb.databases.columns import is_widened, unique_names
from greynb.databases.identifiers import fold, quote
from greynb.databases.mirrored import Contents, MirrorTable, mirror_view
from greynb.databases.outline import Table, outline_of
from greynb.databases.relations import run_inside
from greynb.databases.reports import ColumnReport, TableReport, column_reports, widening_notice
from greynb.databases.views import refusing_view

THROUGH_SQLITE: Final = "{} was read through SQLite: {}"


class MirrorCatalog:
    """The views over an attached mirror, and over the SQLite file for what only that can give.

    Parameters
    ----------
    con
        A connection whose current catalog and schema take the views.
    alias
        The name under which the mirror is attached.
    contents
        What it holds.
    sqlite
        Attaches the SQLite file too, when something is first read from it, and gives its alias.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        alias: str,
        contents: Contents,
        sqlite: Callable[[], str],
    ) -> None:
        self._con = con
        self._alias = alias
        self._sqlite = sqlite
        self._shown = {fold(shown): shown for shown in contents.shown.values()}
        self._tables = dict(zip(self._shown, contents.tables.values(), strict=True))
        self._told: set[str] = set()
        self._outline: list[Table] | None = None
        self._beside: Catalog | None = None

    def open(self) -> None:
        """Create a view for every table, view and virtual table; drop all others."""
        schema = current_schema(self._con)
        for key, table in self._tables.items():
            # What is left to SQLite has a view of the right columns, so that a statement finds its name.
            select = self._view(key, table)
            self._con.execute(f"CREATE OR REPLACE VIEW {schema}.{quote(self._shown[key])} AS {select}")
        drop_others(self._con, self._tables)

    def ensure(self, names: Iterable[str]) -> tuple[str, ...]:
        """Make sure that the named tables can be read; gives what is to be said of them, the first time.

        Parameters
        ----------
        names
            As a statement spells them, in any case; names of anything else are passed over.
        """
        keys = [key for key in dict.fromkeys(map(fold, names)) if key in self._tables]
        notices: list[str] = []
        for key in keys:
            if self._is_left(key):
                notices += self._from_sqlite().ensure([self._shown[key]])
                notices.append(THROUGH_SQLITE.format(self._shown[key], self._tables[key].unstored))
            elif key not in self._told:
                self._told.add(key)
                notices += self._notices(key)
        return tuple(notices)

    def recover(self, error: Exception, names: Iterable[str]) -> bool:
        """Read what is left to SQLite in the most careful way after a statement failed."""
        left = [name for name in names if self._is_left(fold(name))]
        return bool(left) and self._from_sqlite().recover(error, left)

    def __contains__(self, name: object) -> bool:
        """Whether the file has a table or view of that name, in any case."""
        return isinstance(name, str) and fold(name) in self._tables

    def tables(self) -> list[TableReport]:
        """List the tables, views and virtual tables."""
        return [
            TableReport(
                self._shown[key],
                table.census.kind,
                table.census.rows,
                len(table.census.columns),
                table.census.problem,
            )
            for key, table in self._tables.items()
        ]

    def outline(self) -> list[Table]:
        """Name the columns of all tables, without reading anything."""
        if self._outline is None:
            self._outline = [outline_of(self._shown[key], each.census) for key, each in self._tables.items()]
        return self._outline

    def columns(self, table: str) -> list[ColumnReport]:
        """Report the columns of one table; the values that widened one are looked up in SQLite.

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
        if self._is_left(key):
            return self._from_sqlite().columns(self._shown[key])
        return column_reports(self._run, self._tables[key].census, self._shown[key])

    def _run(self, sql: str) -> Sequence[Sequence[object]]:
        return run_inside(self._con, self._sqlite(), sql)

    def _is_left(self, key: str) -> bool:
        """Whether a relation that can be read at all is left to SQLite."""
        table = self._tables.get(key)
        return table is not None and bool(table.unstored) and not table.census.problem

    def _view(self, key: str, table: MirrorTable) -> str:
        if table.census.problem:
            return refusing_view(table.census)
        if table.unstored:
            names = unique_names(column.name for column in table.census.columns)
            columns = ", ".join(f"problem AS {quote(name)}" for name in names)
            return f"SELECT {columns} FROM ({refusing_view(replace(table.census, problem=table.unstored))})"
        return mirror_view(self._alias, self._shown[key], table.census)

    def _notices(self, key: str) -> list[str]:
        table = self._tables[key]
        widened = filter(is_widened, table.census.columns)
        return [*(widening_notice(self._shown[key], each) for each in widened), *table.notices]

    def _from_sqlite(self) -> Catalog:
        """The catalog of what is in the mirror only in part, or not at all."""
        if self._beside is None:
            left = frozenset(table.census.name for key, table in self._tables.items() if self._is_left(key))
            catalog = Catalog(self._con, self._sqlite(), only=left)
            catalog.open()
            self._beside = catalog
        return self._beside
