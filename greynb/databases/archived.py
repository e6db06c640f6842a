"""Rows that were moved out of staging, beside the live ones of a version: ``odds_history_all``.

`greynb.archive` writes a journal into staging, in the very transaction that deletes the rows; published with
the rest, it says which Parquet files belong to a version: one from before holds the rows themselves and no
word of the files, one from after the files and not the rows. So no version shows a row twice or not at all.

The engine itself opens no file for this. Python hands it the files' rows as Arrow data, under names that the
gate refuses in statements; the locked configuration stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb

from greynb.databases.archivedcolumns import (
    NOTHING,
    ArchivedColumn,
    arrow_schema,
    cast,
    columns_from_json,
    common_type,
)
from greynb.databases.columns import EXACT
from greynb.databases.identifiers import fold, literal, quote
from greynb.databases.relations import first_line, stop_if_interrupted
from greynb.databases.reports import TableReport

if TYPE_CHECKING:
    from greynb.databases.reading import AnyCatalog

JOURNAL: Final = "greynb_archive"
"""The table that lists the files."""
SUFFIX: Final = "_all"
WITH_ARCHIVE: Final = "with archive"
"""The kind of such a view among the tables."""
UNFINISHED: Final = ".part"
"""Behind the name of a file until its rows are deleted; and after, where the process died just then."""
_ALIAS: Final = "__greynb_archive_"


def existing(path: Path) -> Path:
    """An archived file; under its unfinished name where only that is there."""
    unfinished = path.with_name(path.name + UNFINISHED)
    return unfinished if not path.exists() and unfinished.exists() else path


class ArchivedRows:
    """The views over live and archived rows of the version that is attached.

    Parameters
    ----------
    con
        The session's connection.
    catalog
        The tables of the version.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, catalog: AnyCatalog) -> None:
        self._con = con
        self._catalog = catalog
        self._files: Mapping[str, list[_File]] | None = None
        self._registered: dict[str, Any] = {}
        self._made: set[str] = set()

    def names(self) -> list[str]:
        """The views that can be read: the name of each table with archived rows, and ``_all``."""
        return [f"{table}{SUFFIX}" for table in self._listed]

    def tables(self) -> list[TableReport]:
        """The same as `%greynb tables` shows them, each with its live and archived rows together."""
        found = []
        for live in self._catalog.tables():
            files = self._listed.get(live.name)
            if files and f"{live.name}{SUFFIX}" not in self._catalog:
                rows = None if live.rows is None else live.rows + sum(each.rows for each in files)
                found.append(TableReport(f"{live.name}{SUFFIX}", WITH_ARCHIVE, rows, live.columns))
        return found

    def ensure(self, names: Iterable[str]) -> tuple[str, ...]:
        """Make the views that a statement names; says what is to be said of them, the first time."""
        wanted = {fold(name) for name in names if fold(name).endswith(SUFFIX)} - self._made
        notices: list[str] = []
        for table, files in self._listed.items() if wanted else ():
            view = f"{table}{SUFFIX}"
            if fold(view) in wanted and view not in self._catalog and table in self._catalog:
                notices += self._catalog.ensure([table])
                self._make(view, table, files)
                self._made.add(fold(view))
        return tuple(notices)

    def renew(self) -> None:
        """Make all views again that were made, because a live table is read in another way now."""
        made, self._made = self._made, set()
        self.ensure(made)

    def register_on(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Make all views, and let another connection of the engine read them."""
        self.ensure(self.names())
        for alias, data in self._registered.items():
            cursor.register(alias, data)

    def close(self) -> None:
        """Let the files go; the views are dropped with those of the version."""
        for alias in self._registered:
            self._con.unregister(alias)
        self._registered.clear()

    @property
    def _listed(self) -> Mapping[str, list[_File]]:
        """Files by table, as the journal of the version has them."""
        if self._files is None:
            found: dict[str, list[_File]] = {}
            for table, folder, file, columns, rows in self._journal() if JOURNAL in self._catalog else ():
                found.setdefault(table, []).append(_File(Path(folder) / file, columns, rows))
            self._files = found
        return self._files

    def _journal(self) -> list[tuple[str, str, str, str, int]]:
        self._catalog.ensure([JOURNAL])
        try:
            return self._con.execute(
                f"SELECT table_name, folder, file, columns, rows FROM analytics.main.{JOURNAL}"
                " WHERE state = 'archived' ORDER BY file"
            ).fetchall()
        except duckdb.BinderException:  # a table of somebody else's
            return []

    def _make(self, view: str, table: str, files: Sequence[_File]) -> None:
        live = self._live(table)
        try:
            select = self._select(table, live, self._sources(files))
        except (OSError, ValueError, duckdb.Error) as error:
            stop_if_interrupted(error)
            message = literal(f"archived rows of {table} cannot be read: {first_line(error)}")
            columns = ", ".join(f"problem AS {quote(name)}" for name in live)
            select = (
                f"SELECT {columns} FROM (SELECT error({message} || coalesce(i::VARCHAR, '')) AS problem"
                " FROM (SELECT NULL::BIGINT AS i UNION ALL SELECT NULL)) WHERE problem IS NOT NULL"
            )
        self._con.execute(f"CREATE OR REPLACE VIEW analytics.main.{quote(view)} AS {select}")

    def _sources(self, files: Sequence[_File]) -> list[_Source]:
        """One for each kind of files: those whose columns are stored alike."""
        kinds: dict[str, list[Path]] = {}
        for each in files:
            kinds.setdefault(each.columns, []).append(each.path)
        found = []
        for text, paths in kinds.items():
            columns = columns_from_json(text)
            alias = f"{_ALIAS}{len(self._registered) + 1}"
            data = _dataset([existing(path) for path in paths], columns)
            self._con.register(alias, data)
            self._registered[alias] = data
            by_name = {fold(each.shown): each for each in columns}
            found.append(_Source(f"temp.main.{quote(alias)}", by_name))
        return found

    def _select(self, table: str, live: Mapping[str, str], sources: Sequence[_Source]) -> str:
        """Put the rows one after the other, in the live table's columns: what it leaves out stays out."""
        place = f"analytics.main.{quote(table)}"
        lists: list[list[str]] = [[] for _ in range(len(sources) + 1)]
        for name, of in live.items():
            archived = [each.columns.get(fold(name)) for each in sources]
            kinds = {of, *(each.type for each in archived if each and each.storage != NOTHING)}
            places = [place, *(each.place for each, own in zip(sources, archived, strict=True) if own)]
            kind = common_type(kinds, exact=partial(self._is_exact, name, places))
            lists[0].append(f"{cast(quote(name), of, kind)} AS {quote(name)}")
            for selected, each in zip(lists[1:], archived, strict=True):
                selected.append(each.as_type(kind) if each else f"CAST(NULL AS {kind})")
        parts = zip(lists, [place, *(each.place for each in sources)], strict=True)
        return " UNION ALL ".join(f"SELECT {', '.join(each)} FROM {source}" for each, source in parts)

    def _is_exact(self, name: str, places: Iterable[str]) -> bool:
        """Whether a column's integers are exact as doubles; asked only where both meet."""
        for place in places:
            x = f"TRY_CAST({quote(name)} AS BIGINT)"
            row = self._con.execute(f"SELECT min({x}), max({x}) FROM {place}").fetchone()
            if row and row[0] is not None and not -EXACT <= row[0] <= row[1] <= EXACT:
                return False
        return True

    def _live(self, table: str) -> dict[str, str]:
        """The columns of the live table with their types."""
        rows = self._con.execute(f"DESCRIBE SELECT * FROM analytics.main.{quote(table)}").fetchall()
        return {str(row[0]): str(row[1]) for row in rows}


@dataclass(frozen=True, slots=True)
class _File:
    """One file of the journal: its columns as the journal spells them, and how many rows it has."""

    path: Path
    columns: str
    rows: int


@dataclass(frozen=True, slots=True)
class _Source:
    """Files that are read together: the name of their rows, and their columns by folded name."""

    place: str
    columns: Mapping[str, ArchivedColumn]


def _dataset(paths: Sequence[Path], columns: Sequence[ArchivedColumn]) -> Any:
    from pyarrow import dataset

    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {path}")
    return dataset.dataset(list(map(str, paths)), schema=arrow_schema(columns), format="parquet")
