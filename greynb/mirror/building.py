"""Building a mirror of one version of a SQLite file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb

from greynb.databases.columns import unique_names
from greynb.databases.extension import has_extension
from greynb.databases.identifiers import quote
from greynb.databases.mirrored import Contents, MirrorTable
from greynb.databases.relations import REFUSALS, Run, TableCensus, list_relations, stop_if_interrupted
from greynb.mirror.tables import LONGEST, store, store_view
from greynb.mirror.workshop import BOUNDS, TARGET, Bounds, workshop


def build(
    database: Path,
    target: Path,
    *,
    known: Mapping[str, TableCensus] | None = None,
    bounds: Bounds = BOUNDS,
    told: Callable[[float], None] = lambda _: None,
) -> Contents:
    """Copy all that a SQLite file holds into a new DuckDB file, with honest types.

    Parameters
    ----------
    database
        A file that nobody writes meanwhile and that this process has not open elsewhere.
    target
        The mirror to make; not there yet.
    known
        The census of tables that have been counted already.
    bounds
        Of the work.
    told
        Told the part that is done; what it raises stops the work.

    Returns
    -------
    Contents
        What the mirror holds, with a census of each table.

    Raises
    ------
    duckdb.Error
        The file cannot be read, or the mirror not be written.
    """
    if has_extension():
        try:
            return _built(database, target, known or {}, bounds, told, attached=True)
        except _UnknownSchema:
            target.unlink()  # the SQLite inside DuckDB is older than Python's
    return _built(database, target, known or {}, bounds, told, attached=False)


class _UnknownSchema(Exception):
    """The SQLite in use cannot read the file's schema."""


def _built(
    database: Path,
    target: Path,
    known: Mapping[str, TableCensus],
    bounds: Bounds,
    told: Callable[[float], None],
    *,
    attached: bool,
) -> Contents:
    with workshop(database, target, bounds, attached=attached) as shop:
        try:
            relations = list_relations(shop.run)
        except REFUSALS as error:
            stop_if_interrupted(error)
            raise _UnknownSchema if attached else error from error
        names = dict(zip(relations, unique_names(relations, "table"), strict=True))
        weights = {name: _weight(shop.run, each) for name, each in relations.items()}
        tables = sorted(
            (each for each in relations.values() if each.kind == "table"),
            key=lambda each: weights[each.name],
            reverse=True,
        )
        others = [each for each in relations.values() if each.kind != "table"]

        def one(con: duckdb.DuckDBPyConnection, table: TableCensus) -> MirrorTable:
            if table.kind == "table":
                return store(shop.source, con, table, names[table.name], known.get(table.name))
            return store_view(shop.limited(LONGEST), con, table, names[table.name])

        made = shop.each(one, [*tables, *others], told)
        found = {each.census.name: each for each in made}
        contents = Contents({name: found[name] for name in relations})
        contents.write(shop.con, TARGET)
    return contents


def _weight(run: Run, table: TableCensus) -> int:
    """About how many rows a table has, at the cost of one look into its b-tree."""
    try:
        return int(str(run(f"SELECT max(rowid) AS n FROM {quote(table.name)}")[0][0] or 0))
    except (*REFUSALS, ValueError) as error:
        stop_if_interrupted(error)
        return 0
