"""Shift+Tab in cells of SQL: what is known of a table, a column, a function or a variable.

Front ends ask by an ``inspect_request``, which the kernel answers for names of Python. So what it calls for
that is replaced by a function that answers for our cells, and hands all others on.
https://jupyter-client.readthedocs.io/en/stable/messaging.html#introspection
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from greynb.completion.naming import Meaning
    from greynb.notebook.magiccells import Magic

NAME: Final = "do_inspect"
PATIENCE: Final = 2.0
"""Seconds that values may take; what a table is called and made of is shown without them."""
_ENDING: Final = 1.0
"""Seconds more in which they are stopped; what cannot be is left to end by itself."""
_ROWS: Final = 10_000
"""Rows among which the commonest values are looked for."""


class _Inspector:
    """Answers for SQL in the place of a kernel's ``do_inspect``, until `take_back`."""

    def __init__(self, shell: InteractiveShell, kernel: Any) -> None:
        self._shell = shell
        self._kernel = kernel
        self._replaced = vars(kernel).get(NAME)  # another extension's, or None: the class has its own
        self._others: Callable[..., Any] = getattr(kernel, NAME)
        self._answers = True
        setattr(kernel, NAME, self)

    def __call__(self, code: str, cursor_pos: int, *arguments: Any, **options: Any) -> Any:
        if self._answers and "%" in code:
            try:
                text = inspect(code, cursor_pos, self._shell.user_ns)
            except Exception:  # a key must never print a traceback into a cell
                text = None
            if text is not None:
                return {"status": "ok", "found": True, "data": {"text/plain": text}, "metadata": {}}
        return self._others(code, cursor_pos, *arguments, **options)

    def take_back(self) -> None:
        """Put back what was there, unless somebody has replaced this since: that may still call it."""
        self._answers = False
        if vars(self._kernel).get(NAME) is not self:
            return
        if self._replaced is None:
            delattr(self._kernel, NAME)
        else:
            setattr(self._kernel, NAME, self._replaced)


_inspectors: WeakKeyDictionary[InteractiveShell, _Inspector] = WeakKeyDictionary()


def add(shell: InteractiveShell) -> None:
    """Let the kernel of a shell answer for SQL; a shell without kernel has nobody who asks."""
    kernel: Any = getattr(shell, "kernel", None)
    if kernel is not None:
        _inspectors[shell] = _Inspector(shell, kernel)


def remove(shell: InteractiveShell) -> None:
    """Take that back."""
    inspector = _inspectors.pop(shell, None)
    if inspector is not None:
        inspector.take_back()


def inspect(cell: str, offset: int, variables: dict[str, Any]) -> str | None:
    """Say what stands at a place in a cell; None outside of SQL and where nothing is known."""
    from greynb.completion.naming import meaning
    from greynb.notebook.completing import schema_of
    from greynb.notebook.magiccells import magic_at

    magic = magic_at(cell, offset)
    if magic is None or offset < magic.sql:
        return None
    text, at = cell[magic.sql : magic.end], offset - magic.sql
    found = meaning(text, at, magic.dialect, schema_of(magic.role), variables)
    return None if found is None else _described(found, magic)


def _described(found: Meaning, magic: Magic) -> str:
    from greynb.completion.functions import Function
    from greynb.completion.naming import TableColumn, Variable
    from greynb.notebook import glances

    if isinstance(found, Function):
        return glances.of_function(found)
    if isinstance(found, Variable):
        return glances.of_variable(found.name, found.value)
    if isinstance(found, TableColumn):
        table, column = found.table, found.column
        counted, rows = _asked(magic, glances.column_sql(table.name, column.name, _ROWS))
        return glances.of_column(table, column, counted, rows)
    counted, rows = _asked(magic, glances.table_sql(found.name, [each.name for each in found.columns]))
    return glances.of_table(found, counted, rows)


def _asked(magic: Magic, sql: str) -> tuple[list[Any], list[list[Any]]]:
    """Run two small queries: the values of the first one's row, and the rows of the second.

    Both are empty where something else runs, or where they take too long: they are stopped then.
    """
    from greynb.connections import analytics_session, staging_session
    from greynb.notebook import running
    from greynb.routing import Settings

    route = Settings.current().route(magic.role)
    session = staging_session(route) if magic.role == "staging" else analytics_session(route)
    if session.outline() is None:
        return [], []
    answers: list[list[list[Any]]] = []

    def ask() -> None:
        from greynb.notebook.values import arrays_of, values

        try:
            for result in session.run(sql):
                columns = arrays_of(result.frame) if result.frame is not None else []
                answers.append(list(map(list, zip(*map(values, columns), strict=True))))
        except Exception:  # shown without values
            answers.clear()

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PATIENCE)
    ending = time.monotonic() + _ENDING
    while asking.is_alive() and time.monotonic() < ending:
        if running.now() is None:  # else a cell has begun, for which the queries wait
            session.interrupt()
        asking.join(0.05)
    if asking.is_alive() or len(answers) != 2 or not answers[0]:
        return [], []
    return answers[0][0], answers[1]
