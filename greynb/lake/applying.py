"""Making the tables of a lake those of a new version, inside one transaction, by as few rows as possible.

===========================================  ==============================================================
a table                                      gets
===========================================  ==============================================================
whose pages in staging are the same          nothing
that differs in ranges of rowids             those rows deleted and inserted that differ
that differs otherwise, columns as before    all rows replaced; partitioning and sorting stay
with other columns, or new                   made anew
===========================================  ==============================================================

Each table that was touched is then compared with the publisher's own copy by a hash of its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import duckdb

from greynb.databases.identifiers import fold, quote
from greynb.databases.mirrored import Contents, MirrorTable
from greynb.errors import PublishError
from greynb.lake.contents import LakeContents
from greynb.lake.rowsums import columns_of, row_sum, rows_of
from greynb.lake.whole import columns_in_lake, in_lake, names_in_lake, write_whole
from greynb.publish.result import TableResult

Spans = Sequence[tuple[int, int]]

COPY: Final = "__greynb_copy"
"""The name under which the publisher's own copy is attached: a columnar mirror."""
_LISTED: Final = 2_000_000
_AT_ONCE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Changes:
    """What is known of the new version beside that which is in the lake.

    Attributes
    ----------
    same
        Tables, by their names in staging, with the same rows.
    spans
        Per table that differs in ranges of rowids: these, both ends included.
    """

    same: frozenset[str] = frozenset()
    spans: Mapping[str, Spans] = field(default_factory=dict)


@dataclass(slots=True)
class Applying:
    """The work on one publication.

    Parameters
    ----------
    con
        The lake attached for writing, and the copy as `COPY`; inside a transaction.
    old
        What the newest version holds; None where there is none that can be built on.
    new
        What the copy holds.
    changes
        What differs between the two.

    Attributes
    ----------
    sums
        The hash of each table's rows, by its name in the lake.
    results
        What changed, by table.
    notices
        What the user should know.
    """

    con: duckdb.DuckDBPyConnection
    old: LakeContents | None
    new: Contents
    changes: Changes
    sums: dict[str, str] = field(default_factory=dict)
    results: dict[str, TableResult] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)

    def all(self, told: Callable[[float], None], *, verify: bool = False) -> None:
        """Apply every table; with `verify`, compare also those that nothing was done to.

        Raises
        ------
        PublishError
            A table of the lake does not hold what the copy does.
        """
        shown = self.new.shown
        for number, (name, table) in enumerate(self.new.tables.items()):
            told(number / max(1, len(shown)))
            if table.unstored:
                self.notices.append(f"{name} is not in the lake: {table.unstored}")
            else:
                self._one(name, shown[name], table, verify)
        stored = {fold(shown[name]) for name, each in self.new.tables.items() if not each.unstored}
        for gone in sorted(names_in_lake(self.con) - stored):
            self.con.execute(f"DROP TABLE {in_lake(gone)}")
            self.results.setdefault(gone, TableResult(None, 0, 0, None))

    @property
    def changed(self) -> bool:
        """Whether anything was done."""
        return any(each.changed for each in self.results.values())

    def _one(self, name: str, shown: str, table: MirrorTable, verify: bool) -> None:
        before = self.old.sums.get(shown) if self.old else None
        alike = before is not None and self._is_alike(name, shown, table)
        if before is not None and alike and name in self.changes.same:
            self.sums[shown] = before
            self.results[shown] = TableResult(rows_of(before), 0, 0, 0)
            if verify:
                self._check(shown, columns_of(self.con, _in_copy(shown)))
            return
        columns = columns_of(self.con, _in_copy(shown))
        total = row_sum(self.con, _in_copy(shown), columns)
        spans = self.changes.spans.get(name)
        if alike and total == before:
            self.results[shown] = TableResult(rows_of(total), 0, 0, 0)
        elif alike and spans is not None and table.key is not None:
            self.results[shown] = self._moved(shown, table.key, spans, rows_of(total))
        else:
            write_whole(self.con, shown, columns, _in_copy(shown))
            self.results[shown] = TableResult(rows_of(total))
        self.sums[shown] = total
        self._check(shown, columns, total)

    def _is_alike(self, name: str, shown: str, table: MirrorTable) -> bool:
        """Whether the lake's table has the name, key and columns of the new one."""
        assert self.old is not None
        known = self.old.tables.get(name)
        if known is None or self.old.shown[name] != shown or known.key != table.key or known.unstored:
            return False
        return columns_in_lake(self.con, shown) == columns_of(self.con, _in_copy(shown))

    def _moved(self, shown: str, key: str, spans: Spans, rows: int) -> TableResult:
        """Delete and insert the rows within ranges of keys that differ."""
        within = self._within(key, spans)
        k, lake = quote(key), in_lake(shown)
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE had AS SELECT * FROM {lake} AS t WHERE {within}")
        self.con.execute(
            f"CREATE OR REPLACE TEMP TABLE has AS SELECT * FROM {_in_copy(shown)} AS t WHERE {within}"
        )
        self.con.execute("CREATE OR REPLACE TEMP TABLE come AS FROM has EXCEPT ALL FROM had")
        self.con.execute(
            f"CREATE OR REPLACE TEMP TABLE gone AS SELECT {k} FROM (FROM had EXCEPT ALL FROM has)"
        )
        ((inserted, updated, deleted),) = self.con.execute(
            f"SELECT count(*) FILTER (g.{k} IS NULL), count(*) FILTER (g.{k} = c.{k}),"
            f" count(*) FILTER (c.{k} IS NULL) FROM gone AS g FULL JOIN come AS c ON g.{k} = c.{k}"
        ).fetchall()
        if updated or deleted:
            self.con.execute(
                f"DELETE FROM {lake} WHERE {k} BETWEEN (SELECT min({k}) FROM gone)"
                f" AND (SELECT max({k}) FROM gone) AND {k} IN (FROM gone)"
            )
        if inserted or updated:
            self.con.execute(f"INSERT INTO {lake} FROM come")
        return TableResult(rows, inserted, updated, deleted)

    def _within(self, key: str, spans: Spans) -> str:
        """A condition on rows of t; the ranges stand in a temporary table."""
        self.con.execute("CREATE OR REPLACE TEMP TABLE spans (low BIGINT, high BIGINT)")
        for begin in range(0, len(spans), _AT_ONCE):
            values = ", ".join(f"({low}, {high})" for low, high in spans[begin : begin + _AT_ONCE])
            self.con.execute(f"INSERT INTO spans VALUES {values}")
        k = f"t.{quote(key)}"
        outer = f"{k} BETWEEN {spans[0][0]} AND {spans[-1][1]}" if spans else "false"
        if sum(high - low + 1 for low, high in spans) <= _LISTED:
            # A hash join with the numbers themselves: comparing each row with each range takes far longer.
            return f"{outer} AND {k} IN (SELECT unnest(generate_series(low, high)) FROM spans)"
        return f"{outer} AND EXISTS (FROM spans WHERE {k} BETWEEN low AND high)"

    def _check(self, shown: str, columns: Sequence[tuple[str, str]], total: str | None = None) -> None:
        expected = total or row_sum(self.con, _in_copy(shown), columns)
        if row_sum(self.con, in_lake(shown), columns) != expected:
            raise PublishError(
                f"the lake's table {shown} does not hold what was written to it",
                hint="run `greynb sync --mode full`; the version before is untouched",
            )


def _in_copy(shown: str) -> str:
    return f"{COPY}.main.{quote(shown)}"
