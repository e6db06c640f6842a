"""The tables and views of an attached PostgreSQL database, as views of DuckDB that read what is there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from greynb.databases.catalog import drop_others
from greynb.databases.identifiers import fold, literal, quote
from greynb.databases.outline import Column, Table
from greynb.databases.reports import ColumnReport, TableReport
from greynb.postgres.attached import ALIAS
from greynb.postgres.attachedcolumns import LISTING, AttachedColumn, view_of

if TYPE_CHECKING:
    import duckdb

_ROUNDED: Final = "{}.{} is numeric without a fixed size: read as DOUBLE, whose numbers have about 15 digits"
_SPECIAL: Final = (
    "holds NaN or infinity, which DuckDB would read as 0 from PostgreSQL;"
    " ask for it in a %%staging cell, or publish it with `greynb sync`"
)


@dataclass(frozen=True, slots=True)
class _Relation:
    schema: str
    name: str
    is_view: bool
    columns: tuple[AttachedColumn, ...]

    @property
    def qualified(self) -> str:
        return f"{quote(self.schema)}.{quote(self.name)}"

    @property
    def source(self) -> str:
        return f"{quote(ALIAS)}.{self.qualified}"

    @property
    def view(self) -> str:
        return f"analytics.main.{quote(self.name)}"

    @property
    def kind(self) -> str:
        return "view" if self.is_view else "table"


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
        self._clean: dict[str, str] = {}
        self._refused: set[str] = set()

    def refresh(self) -> None:
        """Have a view for each table and view that is there now; raises `duckdb.Error`."""
        found = self._listed()
        if found != self._relations:
            if self._relations:
                self._con.execute("CALL pg_clear_cache()")
            for each in found.values():
                self._make(each)
            drop_others(self._con, found)
            self._relations, self._told, self._clean = found, set(), {}
        elif self._refused:
            for name in self._refused:
                self._make(found[name])
        self._refused = set()

    def ensure(self, names: Iterable[str]) -> tuple[str, ...]:
        """What is to be said of the named tables, the first time.

        A numeric that holds what DuckDB would misread is made unreadable, for as long as that is so.
        """
        keys = [key for key in dict.fromkeys(map(fold, names)) if key in self._relations]
        self._refuse_special(keys)
        new = [self._relations[key] for key in keys if key not in self._told]
        self._told.update(keys)
        return tuple(
            _ROUNDED.format(each.name, column.name)
            for each in new
            for column in each.columns
            if column.is_rounded
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
            Table(
                each.name, each.kind, tuple(Column(column.name, column.declared) for column in each.columns)
            )
            for each in self._relations.values()
        ]

    def tables(self) -> list[TableReport]:
        """List the tables and views; their rows are not counted."""
        return [
            TableReport(each.name, each.kind, None, len(each.columns)) for each in self._relations.values()
        ]

    def columns(self, table: str) -> list[ColumnReport]:
        """Report the columns of one table; its rows are counted.

        Raises
        ------
        KeyError
            There is no such table.
        """
        each = self._relations[fold(table)]
        counts = ", ".join(f"count({quote(column.name)})" for column in each.columns)
        # Of the table itself: a column that cannot be read can still be counted.
        ((rows, *filled),) = self._con.execute(f"SELECT count(*), {counts} FROM {each.source}").fetchall()
        types = self._types(each.view)
        return [
            ColumnReport(
                *(each.name, column.name, column.declared, types[column.name]),
                *(rows, rows - count, column.is_rounded, ()),
            )
            for column, count in zip(each.columns, filled, strict=True)
        ]

    def _make(self, relation: _Relation, refused: Iterable[AttachedColumn] = ()) -> None:
        """Make a relation's view, in which some columns can be named and not read."""
        types, without = self._types(relation.source), set(refused)
        expressions = [
            (column.name, expression)
            for column in relation.columns
            if (
                expression := column.refused(_SPECIAL, types[column.name])
                if column in without
                else column.read(types[column.name])
            )
        ]
        self._con.execute(
            f"CREATE OR REPLACE VIEW {relation.view} AS {view_of(relation.source, expressions)}"
        )

    def _refuse_special(self, keys: Iterable[str]) -> None:
        """Look for what the scanner misreads; not again while no transaction has begun anywhere."""
        asked = {
            key: {
                column: sql
                for column in self._relations[key].columns
                if (sql := column.special(self._relations[key].qualified))
            }
            for key in keys
        }
        if not any(asked.values()):
            return
        ((now,),) = self._query("SELECT pg_current_snapshot()::text")
        for key, columns in asked.items():
            if not columns or self._clean.get(key) == now:
                continue
            relation = self._relations[key]
            asking = ", ".join(f"{sql} AS c{number}" for number, sql in enumerate(columns.values()))
            # Without an aggregate it would be a row for each of the table's.
            scanned = any("(SELECT" not in sql for sql in columns.values())
            (found,) = self._query(f"SELECT {asking}{f' FROM {relation.qualified}' * scanned}")
            if any(found):
                self._make(relation, [column for column, is_so in zip(columns, found, strict=True) if is_so])
                self._refused.add(key)
            else:
                self._clean[key] = now

    def _types(self, name: str) -> dict[str, str]:
        return {row[0]: str(row[1]) for row in self._con.execute(f"DESCRIBE FROM {name}").fetchall()}

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        found = self._con.execute(f"FROM postgres_query({literal(ALIAS)}, {literal(sql)})")
        return found.fetchall()

    def _listed(self) -> dict[str, _Relation]:
        columns: dict[tuple[str, str, bool], list[AttachedColumn]] = {}
        for schema, name, is_view, *column in self._query(LISTING):
            columns.setdefault((schema, name, is_view), []).append(AttachedColumn(*column))
        return {fold(each[1]): _Relation(*each, tuple(found)) for each, found in columns.items()}
