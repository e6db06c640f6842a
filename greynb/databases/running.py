"""Running checked statements on what a session has attached, one after the other."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import duckdb

from greynb.databases.diagnose import explain_error
from greynb.databases.engine import give_back_when_idle
from greynb.databases.executing import columns_by_table, counted, execute
from greynb.databases.making import Makings
from greynb.databases.notebook_frames import registered
from greynb.databases.recall import Recall
from greynb.databases.result import Ran, Result
from greynb.databases.temporary import hiding
from greynb.errors import GreynbError

if TYPE_CHECKING:
    from greynb.databases.frames import Fetched
    from greynb.databases.gate import Passed
    from greynb.databases.reading import AnyCatalog, Reading

_LONG: Final = 0.05
"""Seconds from which on a cell may have needed much memory; to give it back costs 0.2 ms."""


class Runner:
    """Runs statements.

    Parameters
    ----------
    con
        The session's connection.
    attachment
        The version that they read, attached already.

    Attributes
    ----------
    recall
        What of their results is kept.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, attachment: Reading) -> None:
        self._con = con
        self._attachment = attachment
        self._behind_temporary: set[str] = set()
        self.share(Recall())
        self._makings = Makings()

    def share(self, recall: Recall) -> None:
        """Keep results by the rules of a session that outlives this connection."""
        self.recall = recall
        recall.on(self._con)

    @property
    def _catalog(self) -> AnyCatalog:
        assert self._attachment.catalog is not None
        return self._attachment.catalog

    @contextmanager
    def explained(self, sql: str = "", line: int = 1) -> Iterator[None]:
        """Put what the engine says into greynb's words."""
        try:
            yield
        except duckdb.Error as error:
            raise explain_error(
                error, sql, role="analytics", tables=lambda: columns_by_table(self._con), line_offset=line - 1
            ) from error

    def attempt(
        self, passed: Sequence[Passed], parameters: Mapping[str, object], variables: Mapping[str, object]
    ) -> list[Ran]:
        """Run all of them; an error says which it was."""
        ran = []
        begun = time.perf_counter()
        try:
            for number, each in enumerate(passed, start=1):
                try:
                    ran.append(self._one(number, each, parameters, variables))
                except GreynbError as error:
                    if len(passed) > 1:
                        error.message = f"statement {number}: {error.message}"
                    raise
        finally:
            if time.perf_counter() - begun > _LONG:
                give_back_when_idle(self._con)
        return ran

    def _one(
        self,
        number: int,
        passed: Passed,
        parameters: Mapping[str, object],
        variables: Mapping[str, object],
    ) -> Ran:
        begun = time.perf_counter()
        with self.explained(passed.sql, passed.line):
            if passed.kind == "create":
                self._behind_temporary.update(self.reads(passed))
            notices = [*self._attachment.take_notices(), *self.ensure(passed)]
            with registered(self._con, passed, variables, self._catalog, notices) as frames:
                fetched = self.recall.fetch(passed, parameters, self._attachment, self._fetch)
            notices += hiding(passed, self._catalog)
        setup = self._makings.needed(passed)
        if passed.kind in ("create", "drop") and self._attachment.snapshot is not None:
            self._makings.note(passed, parameters, self._attachment.snapshot.id, frames)
        reads = passed.kind in ("select", "explain")
        result = Result(
            number=number,
            line=passed.line,
            sql=passed.sql,
            frame=None,
            types=fetched.types if reads else (),
            affected=None if reads else counted(fetched),
            seconds=time.perf_counter() - begun,
            notices=tuple(notices),
            kept=fetched.kept,
            setup=tuple(setup),
            frames=tuple(dict.fromkeys([*frames, *(name for made in setup for name in made.frames)])),
        )
        return Ran(result, fetched if reads else None)

    def ensure(self, passed: Passed) -> tuple[str, ...]:
        """Make the typed views of the tables that a statement reads, also through temporary views."""
        names, archived = self.reads(passed), self._attachment.archived
        return (*self._catalog.ensure(names), *(archived.ensure(names) if archived is not None else ()))

    def reads(self, passed: Passed) -> list[str]:
        """The tables that a statement reads, also through temporary views."""
        every = [table.name for table in self._catalog.tables()] if passed.describes else []
        return [*passed.tables, *self._behind_temporary, *every]

    def _fetch(self, passed: Passed, parameters: Mapping[str, object]) -> Fetched:
        named = {name: parameters[name] for name in passed.parameters if name in parameters}
        try:
            return execute(self._con, passed.sql, named)
        except duckdb.Error as error:
            if not self._catalog.recover(error, self.reads(passed)):
                raise
            if self._attachment.archived is not None:
                self._attachment.archived.renew()
            return execute(self._con, passed.sql, named)
