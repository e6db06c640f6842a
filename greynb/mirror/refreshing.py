"""Making the mirror of a new version from that of the one before: only rows that changed are read again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import duckdb

from greynb.databases.collation import collation_notices
from greynb.databases.columns import choose, unique_names
from greynb.databases.extension import has_extension
from greynb.databases.identifiers import fold, quote
from greynb.databases.mirrored import Contents, MirrorTable
from greynb.databases.relations import TableCensus, list_relations, same_columns, stop_if_interrupted
from greynb.databases.views import as_text
from greynb.mirror.building import build
from greynb.mirror.tables import LONGEST, agrees, filled_rows, store, store_view
from greynb.mirror.workshop import TARGET, Workshop, place, workshop

Spans = tuple[tuple[int, int], ...]

GROWN: Final = 1.5
"""How many times its first size a mirror may have before it is built anew."""
_AT_ONCE: Final = 2_000
_LISTED: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Changed:
    """What is known of a new version beside the one before.

    Attributes
    ----------
    same
        Tables, views and virtual tables with the same rows.
    spans
        Per table that differs: ranges of rowids, both ends included, with every row that differs.
    census
        What tables of either kind hold now.
    """

    same: Collection[str] = ()
    spans: Mapping[str, Spans] = field(default_factory=dict)
    census: Mapping[str, TableCensus] = field(default_factory=dict)


def refresh(
    database: Path,
    target: Path,
    changed: Changed,
    *,
    told: Callable[[float], None] = lambda _: None,
) -> Contents:
    """Make a mirror of that of the version before; whatever cannot be carried on is built anew.

    Parameters
    ----------
    database
        The SQLite file of the new version; nobody writes to it, and this process has not open it elsewhere.
    target
        A copy of the mirror of the version before, which becomes that of the new one.
    changed
        What differs.
    told
        Told the part that is done; what it raises stops the work.

    Raises
    ------
    duckdb.Error, OSError
        A file cannot be read, or the mirror not be written.
    """
    size = target.stat().st_size
    with workshop(database, target, attached=has_extension()) as shop:
        before = Contents.read(shop.con, TARGET)
        first = before.first_bytes or size
        if size <= GROWN * first:
            relations = list_relations(shop.run)
            work = _Refreshing(shop, before, relations, changed)
            made = shop.each(work.one, list(relations.values()), told)
            for name in work.gone():
                shop.con.execute(f"DROP TABLE IF EXISTS {place(name)}")
            tables = {each.census.name: each for each in made}
            contents = Contents({name: tables[name] for name in relations}, first)
            contents.write(shop.con, TARGET)
            return contents
    target.unlink()
    return build(database, target, known=changed.census, told=told)


class _Refreshing:
    def __init__(
        self, shop: Workshop, before: Contents, relations: Mapping[str, TableCensus], changed: Changed
    ) -> None:
        self._shop = shop
        self._source = shop.source
        self._before = before
        self._names = dict(zip(relations, unique_names(relations, "table"), strict=True))
        self._changed = changed

    def one(self, con: duckdb.DuckDBPyConnection, listed: TableCensus) -> MirrorTable:
        """Carry one relation on, or copy it."""
        name = self._names[listed.name]
        before = self._before.tables.get(listed.name)
        known = self._changed.census.get(listed.name)
        if before is not None and self._before.shown[listed.name] == name:
            if listed.name in self._changed.same and _alike(before.census, listed):
                return before
            try:
                if known is not None and self._moved(con, before, known, name):
                    notices = collation_notices(partial(self._source.run, con), known, name)
                    return MirrorTable(known, before.key, tuple(notices))
            except duckdb.Error as error:
                stop_if_interrupted(error)  # else it is copied
        con.execute(f"DROP TABLE IF EXISTS {place(name)}")
        if listed.kind == "table":
            return store(self._source, con, listed, name, known)
        return store_view(self._shop.limited(LONGEST), con, listed, name)

    def gone(self) -> Iterator[str]:
        """Tables of the mirror that the new version has not."""
        there = set(map(fold, self._names.values()))
        return (name for name in self._before.shown.values() if fold(name) not in there)

    def _moved(
        self, con: duckdb.DuckDBPyConnection, before: MirrorTable, known: TableCensus, name: str
    ) -> bool:
        """Replace the rows in ranges of rowids; tells whether the table now holds what the census says."""
        spans = self._changed.spans.get(known.name)
        if spans is None or before.key is None or before.unstored or known.problem:
            return False
        if not _alike(before.census, known) or _types(before.census) != _types(known):
            return False
        _remove(con, place(name), before.key, spans)
        for begin in range(0, len(spans), _AT_ONCE):
            statement, shown = as_text(known, key=before.key, spans=spans[begin : begin + _AT_ONCE])
            rows = self._source.rows(con, statement)
            con.execute(f"INSERT INTO {place(name)} SELECT {shown} FROM {rows} AS w")
        total, *filled = filled_rows(con, known, name)
        return agrees(known, total, filled)


def _remove(con: duckdb.DuckDBPyConnection, table: str, key: str, spans: Spans) -> None:
    if not spans:
        return
    within = f"{quote(key)} BETWEEN {spans[0][0]} AND {spans[-1][1]}"
    con.execute("CREATE OR REPLACE TEMP TABLE spans (low BIGINT, high BIGINT)")
    for begin in range(0, len(spans), _AT_ONCE):
        values = ", ".join(f"({low}, {high})" for low, high in spans[begin : begin + _AT_ONCE])
        con.execute(f"INSERT INTO spans VALUES {values}")
    if sum(high - low + 1 for low, high in spans) <= _LISTED:
        # A hash join with the numbers themselves: comparing each row with each range takes far longer.
        numbers = "SELECT unnest(generate_series(low, high)) FROM spans"
        con.execute(f"DELETE FROM {table} WHERE {within} AND {quote(key)} IN ({numbers})")
    else:
        con.execute(
            f"DELETE FROM {table} AS t USING spans AS s WHERE t.{quote(key)} BETWEEN s.low AND s.high"
        )


def _alike(one: TableCensus, other: TableCensus) -> bool:
    return one.kind == other.kind and same_columns(one, other)


def _types(table: TableCensus) -> list[str]:
    return [choose(column) for column in table.columns]
