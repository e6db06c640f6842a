"""Rows that were moved out of staging, beside the live ones of a version: ``odds_history_all``.

`greynb.archive` writes a journal into staging, in the very transaction that deletes the rows; published with
the rest, it says which Parquet files belong to a version: one from before holds the rows themselves and no
word of the files, one from after the files and not the rows. So no version shows a row twice or not at all.

The engine itself opens no file for this. Python hands it the files' rows as Arrow data, under names that the
gate refuses in statements; the locked configuration stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb

from greynb.databases.columns import unique_names
from greynb.databases.identifiers import fold, literal, quote
from greynb.databases.relations import first_line, stop_if_interrupted

if TYPE_CHECKING:
    from greynb.databases.mirrorcatalog import AnyCatalog

JOURNAL: Final = "greynb_archive"
"""The table that lists the files."""
SUFFIX: Final = "_all"
UNFINISHED: Final = ".part"
"""Behind the name of a file until its rows are deleted; and after, where the process died just then."""
TAGGED: Final = "tagged"
_ALIAS: Final = "__greynb_archive_"
_TYPES: Final = ("BIGINT", "BOOLEAN", "DOUBLE", "DATE", "TIMESTAMP", "BLOB", "VARCHAR")
_NATURAL: Final = {"integer": "BIGINT", "real": "DOUBLE", "text": "VARCHAR", "blob": "BLOB"}
_ARROW: Final = {"integer": "int64", "real": "float64", "text": "string", "blob": "binary", TAGGED: "string"}


@dataclass(frozen=True, slots=True)
class ArchivedColumn:
    """One column of an archived file.

    Attributes
    ----------
    name
        As the table spells it.
    shown
        What it is called in DuckDB, and in the file.
    storage
        ``integer``, ``real``, ``text`` (valid UTF-8) or ``blob`` where all values but NULL are of that class;
        ``tagged`` text for anything else: a letter and the value, ``i1``, ``r0.5``, ``tabc``, ``b00ff`` for a
        blob and ``hff`` for a text that is not valid UTF-8, both in hex.
    type
        The DuckDB type as which it is read.
    generated
        Whether SQLite computes it.
    """

    name: str
    shown: str
    storage: str
    type: str
    generated: bool = False

    @property
    def expression(self) -> str:
        """What to select from the file for it."""
        x = quote(self.shown)
        if self.storage != TAGGED:
            return x if self.type == _NATURAL[self.storage] else f"CAST({x} AS {self.type})"
        if self.type != "VARCHAR":
            return f"CAST(substr({x}, 2) AS {self.type})"
        blob = f"unhex(substr({x}, 2))"
        return (
            f"CASE left({x}, 1) WHEN 'r' THEN CAST(CAST(substr({x}, 2) AS DOUBLE) AS VARCHAR)"
            f" WHEN 'b' THEN CAST({blob} AS VARCHAR) WHEN 'h' THEN CAST({blob} AS VARCHAR)"
            f" ELSE substr({x}, 2) END"
        )


def columns_to_json(columns: Iterable[ArchivedColumn]) -> str:
    """The columns as the journal and the files keep them."""
    return json.dumps([[each.name, each.shown, each.storage, each.type, each.generated] for each in columns])


def columns_from_json(text: str) -> tuple[ArchivedColumn, ...]:
    """Read back what `columns_to_json` gave; raises ValueError where it is something else."""
    try:
        found = tuple(ArchivedColumn(*each) for each in json.loads(text))
    except TypeError as error:
        raise ValueError(f"not columns: {error}") from error
    if any(each.storage not in _ARROW or each.type not in _TYPES for each in found):
        raise ValueError("columns of an unknown kind")
    if [each.shown for each in found] != unique_names(each.shown for each in found):
        raise ValueError("columns of the same name")
    return found


def arrow_schema(columns: Iterable[ArchivedColumn]) -> Any:
    """The `pyarrow.Schema` of a file with such columns."""
    import pyarrow as pa

    types = {name: getattr(pa, name)() for name in ("int64", "float64", "string", "binary")}
    return pa.schema([(each.shown, types[_ARROW[each.storage]]) for each in columns])


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
        self._files: Mapping[str, list[tuple[Path, str]]] | None = None
        self._registered: dict[str, Any] = {}
        self._made: set[str] = set()

    def names(self) -> list[str]:
        """The views that can be read: the name of each table with archived rows, and ``_all``."""
        return [f"{table}{SUFFIX}" for table in self._listed]

    def ensure(self, names: Iterable[str]) -> tuple[str, ...]:
        """Make the views that a statement names; says what is to be said of them, the first time."""
        if JOURNAL not in self._catalog or not any(fold(name).endswith(SUFFIX) for name in names):
            return ()
        wanted = {fold(name) for name in names} - self._made
        notices: list[str] = []
        for table, files in self._listed.items():
            view = f"{table}{SUFFIX}"
            if fold(view) in wanted and view not in self._catalog and table in self._catalog:
                notices += self._catalog.ensure([table])
                self._make(view, table, files)
                self._made.add(fold(view))
        return tuple(notices)

    def register_on(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Let another connection of the engine read the files of all views, and make these."""
        self.ensure(self.names() if JOURNAL in self._catalog else ())
        for alias, data in self._registered.items():
            cursor.register(alias, data)

    def close(self) -> None:
        """Let the files go; the views are dropped with those of the version."""
        for alias in self._registered:
            self._con.unregister(alias)
        self._registered.clear()

    @property
    def _listed(self) -> Mapping[str, list[tuple[Path, str]]]:
        """Files and their columns by table, as the journal of the version has them."""
        if self._files is None:
            self._catalog.ensure([JOURNAL])
            rows = self._con.execute(
                f"SELECT table_name, folder, file, columns FROM analytics.main.{JOURNAL}"
                " WHERE state = 'archived' ORDER BY file"
            ).fetchall()
            found: dict[str, list[tuple[Path, str]]] = {}
            for table, folder, file, columns in rows:
                found.setdefault(str(table), []).append((Path(folder) / file, str(columns)))
            self._files = found
        return self._files

    def _make(self, view: str, table: str, files: Sequence[tuple[Path, str]]) -> None:
        name = f"analytics.main.{quote(view)}"
        try:
            parts = [f"SELECT * FROM analytics.main.{quote(table)}", *self._archived(table, files)]
            self._con.execute(f"CREATE OR REPLACE VIEW {name} AS {' UNION ALL BY NAME '.join(parts)}")
        except (OSError, ValueError, duckdb.Error) as error:
            stop_if_interrupted(error)
            message = literal(f"archived rows of {table} cannot be read: {first_line(error)}")
            problem = f"SELECT error({message} || coalesce(i::VARCHAR, '')) AS problem"
            source = "(SELECT NULL::BIGINT AS i UNION ALL SELECT NULL)"
            columns = ", ".join(f"problem AS {quote(each)}" for each in self._columns_of(table))
            self._con.execute(
                f"CREATE OR REPLACE VIEW {name} AS"
                f" SELECT {columns} FROM ({problem} FROM {source}) WHERE problem IS NOT NULL"
            )

    def _archived(self, table: str, files: Sequence[tuple[Path, str]]) -> Iterable[str]:
        """A SELECT for each kind of files: those whose columns are stored alike."""
        live = set(map(fold, self._columns_of(table)))
        kinds: dict[str, list[Path]] = {}
        for path, written in files:
            kinds.setdefault(written, []).append(path)
        for text, paths in kinds.items():
            columns = columns_from_json(text)
            alias = f"{_ALIAS}{len(self._registered) + 1}"
            data = _dataset([existing(path) for path in paths], columns)
            self._con.register(alias, data)
            self._registered[alias] = data
            # What a publication leaves out of the table stays out here too.
            shown = [
                f"{each.expression} AS {quote(each.shown)}" for each in columns if fold(each.shown) in live
            ]
            yield f"SELECT {', '.join(shown)} FROM temp.main.{quote(alias)}"

    def _columns_of(self, table: str) -> list[str]:
        rows = self._con.execute(f"DESCRIBE SELECT * FROM analytics.main.{quote(table)}").fetchall()
        return [str(row[0]) for row in rows]


def _dataset(paths: Sequence[Path], columns: Sequence[ArchivedColumn]) -> Any:
    from pyarrow import dataset

    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {path}")
    return dataset.dataset(list(map(str, paths)), schema=arrow_schema(columns), format="parquet")
