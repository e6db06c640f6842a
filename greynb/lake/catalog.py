"""What users see of one snapshot of a lake: a DuckDB view per table, without what only greynb needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import duckdb

from greynb.databases.catalog import current_schema, drop_others
from greynb.databases.columns import is_widened, unique_names
from greynb.databases.identifiers import fold, quote
from greynb.databases.mirrored import MirrorTable
from greynb.databases.outline import Column, Table, outline_of
from greynb.databases.reports import ColumnReport, TableReport, column_reports, widening_notice
from greynb.databases.views import refusing_view
from greynb.lake.attaching import ALIAS
from greynb.lake.contents import LakeContents
from greynb.lake.snapshots import tables_at


class LakeCatalog:
    """The views over one snapshot.

    Parameters
    ----------
    con
        A connection whose current catalog and schema take the views, and that has the lake attached.
    number
        The snapshot.
    contents
        What its publisher said of it; None where that was not greynb.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, number: int, contents: LakeContents | None) -> None:
        self._con = con
        self._number = number
        shown = contents.shown if contents else {}
        self._known = (
            {fold(shown[name]): table for name, table in contents.tables.items()} if contents else {}
        )
        self._names = {fold(name): name for name in shown.values()}
        self._told: set[str] = set()

    def open(self) -> None:
        """Create a view for every table; drop all others."""
        schema = current_schema(self._con)
        stored = set(tables_at(self._con, self._number))
        self._names |= {fold(name): name for name in stored}
        for key, name in self._names.items():
            select = self._view(key, name, name in stored)
            self._con.execute(f"CREATE OR REPLACE VIEW {schema}.{quote(name)} AS {select}")
        drop_others(self._con, self._names)

    def ensure(self, names: Iterable[str]) -> tuple[str, ...]:
        """What is to be said of the named tables, the first time."""
        keys = [
            key for key in dict.fromkeys(map(fold, names)) if key in self._known and key not in self._told
        ]
        self._told.update(keys)
        return tuple(notice for key in keys for notice in self._notices(key))

    def recover(self, error: Exception, names: Iterable[str]) -> bool:
        """Never: a snapshot can be read in one way only."""
        return False

    def __contains__(self, name: object) -> bool:
        """Whether the snapshot has a table of that name, in any case."""
        return isinstance(name, str) and fold(name) in self._names

    def tables(self) -> list[TableReport]:
        """List the tables."""
        return [self._table(key, name) for key, name in self._names.items()]

    def outline(self) -> list[Table]:
        """The tables with their columns, as far as they are known without counting."""
        return [self._outlined(key, name) for key, name in self._names.items()]

    def columns(self, table: str) -> list[ColumnReport]:
        """Report the columns of one table.

        Raises
        ------
        KeyError
            There is no such table.
        """
        key = fold(table)
        name = self._names[key]
        known = self._known.get(key)
        if known is not None:
            return column_reports(lambda _: (), known.census, name)
        described = self.described(name)
        counts = ", ".join(f"count({quote(column)})" for column, _ in described)
        ((rows, *filled),) = self._con.execute(f"SELECT count(*), {counts} FROM {quote(name)}").fetchall()
        return [
            ColumnReport(name, column, kind, kind, rows, rows - count, False, ())
            for (column, kind), count in zip(described, filled, strict=True)
        ]

    def _view(self, key: str, name: str, stored: bool) -> str:
        known = self._known.get(key)
        place = f"{ALIAS}.main.{quote(name)} AT (VERSION => {self._number})"
        if known is None:
            return f"SELECT * FROM {place}"
        if known.census.problem or not stored:
            reason = known.census.problem or known.unstored or "it is not in the lake"
            return refusing_view(replace(known.census, problem=reason))
        columns = unique_names(column.name for column in known.census.columns)
        return f"SELECT {', '.join(map(quote, columns))} FROM {place}"

    def _table(self, key: str, name: str) -> TableReport:
        known = self._known.get(key)
        if known is None:
            return TableReport(name, "table", None, len(self.described(name)))
        census = known.census
        problem = census.problem or known.unstored or None
        return TableReport(name, census.kind, census.rows, len(census.columns), problem)

    def _outlined(self, key: str, name: str) -> Table:
        known = self._known.get(key)
        if known is not None:
            return outline_of(name, known.census)
        return Table(name, "table", tuple(Column(*each) for each in self.described(name)))

    def described(self, name: str) -> list[tuple[str, str]]:
        """Name and DuckDB type of each column of a table."""
        rows = self._con.execute(f"DESCRIBE SELECT * FROM {quote(name)}").fetchall()
        return [(str(row[0]), str(row[1])) for row in rows]

    def _notices(self, key: str) -> list[str]:
        table: MirrorTable = self._known[key]
        widened = filter(is_widened, table.census.columns)
        return [*(widening_notice(self._names[key], each) for each in widened), *table.notices]
