"""The tables of a role's file as they are known now, without making anybody wait for the file."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable
from weakref import WeakKeyDictionary

from greynb.completion.functions import by_name
from greynb.databases.identifiers import fold

if TYPE_CHECKING:
    from greynb.completion.functions import Function
    from greynb.databases.outline import Column, Table


class _Outlined(Protocol):
    def outline(self) -> list[Table] | None: ...


@runtime_checkable
class _Listing(Protocol):
    def functions(self) -> list[tuple[str, str, str, str]]: ...


FIRST: Final = 0.8
"""Seconds that the first look at a file may take, which opens it; longer ones serve the next Tab.

JupyterLab waits for one second, and shows nothing of what comes later.
"""
PATIENCE: Final = 0.25
"""Seconds that any other look may take."""


@dataclass(frozen=True)
class Schema:
    """What can be named.

    Attributes
    ----------
    tables
        By folded name; a temporary one hides a table of the same name.
    functions
        Those that the server lists; empty where the engine's own are all there are.
    """

    tables: Mapping[str, Table] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)

    @classmethod
    def of(cls, tables: Iterable[Table], functions: Mapping[str, Function] | None = None) -> Schema:
        """Take tables in their order: later ones hide earlier ones."""
        return cls({fold(each.name): each for each in tables}, functions or {})

    def columns(self, table: str) -> tuple[Column, ...]:
        """The columns of a table, in any case; none where there is no such table."""
        found = self.tables.get(fold(table))
        return found.columns if found else ()

    @cached_property
    def names(self) -> Mapping[str, list[str]]:
        """The column names of each table, by folded name."""
        return {key: [column.name for column in table.columns] for key, table in self.tables.items()}

    @cached_property
    def everywhere(self) -> Mapping[str, tuple[str, str]]:
        """Each column name with its type and the first table that has it."""
        found: dict[str, tuple[str, str]] = {}
        for table in self.tables.values():
            for column in table.columns:
                found.setdefault(column.name, (column.type, table.name))
        return found


class Schemas:
    """The schemas of sessions, remembered for moments in which they cannot be asked."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[object, tuple[list[Table], Schema]] = WeakKeyDictionary()
        self._asking: WeakKeyDictionary[object, threading.Thread] = WeakKeyDictionary()

    def opened(self, opening: Callable[[], _Outlined]) -> Schema:
        """What is known of the tables of the session that a call gives; the first time that may take long."""
        begun, found = time.monotonic(), list[_Outlined]()

        def task() -> None:
            with suppress(Exception):  # said by the cell when it runs
                found.append(opening())

        thread = threading.Thread(target=task, daemon=True)
        thread.start()
        thread.join(FIRST)
        return self.of(found[0], FIRST - (time.monotonic() - begun)) if found else Schema()

    def of(self, session: _Outlined, first: float = FIRST) -> Schema:
        """What is known of a session's tables; `first` are the seconds that the first look may take.

        The file is looked at in another thread, so that a copy of it, or a lock, holds nobody up for long;
        while a statement runs it is not looked at.
        """
        asking = self._asking.get(session)
        if asking is None or not asking.is_alive():
            asking = threading.Thread(target=self._ask, args=(session,), daemon=True)
            self._asking[session] = asking
            asking.start()
        asking.join(PATIENCE if session in self._known else max(first, 0))
        return self._known[session][1] if session in self._known else Schema()

    def _ask(self, session: _Outlined) -> None:
        try:
            tables = session.outline()
        except Exception:  # an editor asks again with the next key, and a cell says what is wrong
            return
        if tables is not None and (session not in self._known or self._known[session][0] != tables):
            self._known[session] = tables, Schema.of(tables, self._functions(session))

    def _functions(self, session: _Outlined) -> Mapping[str, Function]:
        """Those of a server, which is asked once."""
        if session in self._known and (known := self._known[session][1].functions):
            return known
        return by_name(session.functions()) if isinstance(session, _Listing) else {}


SCHEMAS: Final = Schemas()
"""Those of this process."""
