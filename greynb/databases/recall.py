"""Answering a statement from the result cache, where that is certain to be what running it would give.

A result may be kept if

- the version that it is of has an identity that stays: a published file whose manifest says what it holds,
  or a snapshot of a lake; a file that greynb did not publish has none, nor has a database that is read live;
- the statement is a SELECT that gives the same rows each time (`greynb.databases.repeatable`) and reads
  tables of the file, at least one: no views, whose SQL is SQLite's, and no DataFrames of the notebook;
- no temporary table or view of the session hides one of those tables;
- each value that is bound to it is of a kind that can be told apart from all others.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import duckdb

from greynb import __version__
from greynb.databases.identifiers import fold
from greynb.databases.repeatable import is_repeatable
from greynb.databases.resultcache import WORTH

if TYPE_CHECKING:
    from greynb.databases.frames import Fetched
    from greynb.databases.gate import Passed
    from greynb.databases.reading import AnyCatalog, Reading, Version
    from greynb.databases.resultcache import ResultCache

    Run = Callable[[Passed, Mapping[str, object]], Fetched]

_AS_WRITTEN: Final = (type(None), bool, int, float, str, bytes, Decimal, UUID, dt.timedelta)
_MOMENTS: Final = (dt.date, dt.time, dt.datetime)


class Recall:
    """What one session may take from the result cache, and hand to it.

    Attributes
    ----------
    cache
        Where results are kept; None to run every statement.
    """

    def __init__(self) -> None:
        self.cache: ResultCache | None = None
        self._con: duckdb.DuckDBPyConnection | None = None
        self._zone: str | None = None
        self._version: tuple[Version, str | None] | None = None
        self._tables: tuple[AnyCatalog, frozenset[str]] | None = None

    def on(self, con: duckdb.DuckDBPyConnection) -> None:
        """Take the session's engine, also in place of one whose connection was lost."""
        self._con, self._zone, self._version, self._tables = con, None, None, None

    def fetch(
        self,
        passed: Passed,
        parameters: Mapping[str, object],
        attachment: Reading,
        run: Run,
        *,
        engine: str = "",
    ) -> Fetched:
        """Take a statement's result from the cache, or run it.

        Parameters
        ----------
        passed, parameters
            The statement, and values by name.
        attachment
            The version that it reads.
        run
            Runs it.
        engine
            What runs it, if not DuckDB: sums of floats differ in their last digits from engine to engine.

        Returns
        -------
        Fetched
            With a key where it was run and is worth keeping.
        """
        key = None if self.cache is None else self._key(passed, parameters, attachment, engine)
        if self.cache is None or key is None:
            return run(passed, parameters)
        found = self.cache.find(key)
        if found is not None and not self._is_hidden(passed):
            return found
        begun = time.perf_counter()
        fetched = run(passed, parameters)
        if time.perf_counter() - begun >= WORTH and not self._is_hidden(passed):
            fetched.key = key
        return fetched

    def _key(
        self, passed: Passed, parameters: Mapping[str, object], attachment: Reading, engine: str
    ) -> str | None:
        """What names the result of a statement for ever; None where it must not be kept."""
        if passed.kind != "select" or not passed.tables:
            return None
        version = self._version_of(attachment.snapshot)
        if version is None or not self._tables_of(attachment.catalog).issuperset(map(fold, passed.tables)):
            return None
        if not is_repeatable(passed.sql):
            return None
        named = {name: parameters[name] for name in passed.parameters if name in parameters}
        try:
            values = [[name, _told_apart(value)] for name, value in sorted(named.items())]
        except _Unknown:
            return None
        parts = [__version__, duckdb.__version__, engine, self._time_zone(), version, passed.sql, values]
        return hashlib.blake2b(json.dumps(parts).encode(), digest_size=24).hexdigest()

    def _version_of(self, snapshot: Version | None) -> str | None:
        if snapshot is None:
            return None
        if self._version is None or self._version[0] is not snapshot:
            self._version = snapshot, snapshot.identity
        return self._version[1]

    def _tables_of(self, catalog: AnyCatalog | None) -> frozenset[str]:
        if catalog is None:
            return frozenset()
        if self._tables is None or self._tables[0] is not catalog:
            names = (fold(each.name) for each in catalog.tables() if each.kind == "table")
            self._tables = catalog, frozenset(names)
        return self._tables[1]

    def _time_zone(self) -> str:
        """The session's zone, which its settings keep for ever."""
        if self._zone is None:
            assert self._con is not None
            ((self._zone,),) = self._con.execute("SELECT current_setting('TimeZone')").fetchall()
        return str(self._zone)

    def _is_hidden(self, passed: Passed) -> bool:
        """Whether a temporary table or view has the name of a table that a statement reads."""
        assert self._con is not None
        temporary = self._con.execute(
            "SELECT table_name FROM duckdb_tables() WHERE temporary"
            " UNION ALL SELECT view_name FROM duckdb_views() WHERE temporary"
        ).fetchall()
        return not {fold(name) for (name,) in temporary}.isdisjoint(map(fold, passed.tables))


class _Unknown(Exception):
    """A value of a kind whose text may stand for another value too."""


def _told_apart(value: object) -> list[Any]:
    """A bound value as JSON that no other value has: ``1``, ``1.0``, ``True`` and ``'1'`` all differ."""
    kind = type(value)
    if isinstance(value, list):
        return ["list", *map(_told_apart, value)]
    if kind in _AS_WRITTEN:
        return [kind.__name__, repr(value)]
    if kind in _MOMENTS:
        return [kind.__name__, value.isoformat()]  # type: ignore[attr-defined]  # all of them have it
    raise _Unknown
