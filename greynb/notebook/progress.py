"""The line that says how far a long query is, and that is gone when the query is.

In a Jupyter kernel it is one output that is updated in place. At the end the cell's outputs are cleared,
the one way to take an output out of the saved notebook; that is done only where the SQL cell is the whole
cell, so that nothing else can have been shown before. In a cell of Python code one output with empty text
remains for each execution of the cell. In a terminal it is a line on stderr, erased at the end. A script
without a terminal shows nothing.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

from greynb.databases.result import Progress

FIRST = 1.0
"""Seconds before a query is long enough for progress."""
INTERVAL = 0.25
"""Seconds between two updates, at least."""

_WHOLE_CELL = re.compile(
    r"\s*(%%(analytics|staging)\b|([\w\s,]+=)?\s*%(analytics|staging|greynb)\b[^\n]*\s*$)"
)


class Screen(Protocol):
    """Where progress is shown."""

    def show(self, text: str, fraction: float | None) -> None:
        """Replace what is shown."""

    def clear(self) -> None:
        """Take it away."""


class Meter:
    """Shows the progress of one task once it has run for a second.

    Parameters
    ----------
    progress
        How far the task is.
    label
        What is running.
    """

    def __init__(self, progress: Callable[[], Progress | None], label: str) -> None:
        self._progress = progress
        self._label = label
        self._begun = time.monotonic()
        self._next = self._begun + FIRST
        self._screen: Screen | None = None

    def tick(self) -> None:
        """Show how far the task is, if it is time to."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + INTERVAL
        self._screen = self._screen or screen()
        if self._screen is not None:
            state = self._progress() or Progress()
            self._screen.show(line(self._label, state, now - self._begun), state.fraction)

    def close(self) -> None:
        """Take the progress away, if any was shown."""
        if self._screen is not None:
            self._screen.clear()
            self._screen = None


def line(label: str, state: Progress, seconds: float) -> str:
    """Say how far a task is: ``analytics · 42 % · 1,200 rows · 3.4 s``."""
    parts = [label]
    if state.fraction:  # 0 is what DuckDB says as long as it cannot tell
        parts.append(f"{min(max(state.fraction, 0.0), 1.0):.0%}".replace("%", " %"))
    if state.rows is not None:
        parts.append(f"{state.rows:,} rows")
    return " · ".join([*parts, f"{seconds:.1f} s"])


def screen() -> Screen | None:
    """Find out where progress can be shown: in a kernel, in a terminal, or nowhere."""
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    if getattr(shell, "kernel", None) is not None:
        return _Notebook(shell)
    return _Terminal() if sys.stderr is not None and sys.stderr.isatty() else None


class _Terminal:
    def __init__(self) -> None:
        self._width = 0

    def show(self, text: str, fraction: float | None) -> None:
        sys.stderr.write("\r" + text.ljust(self._width))
        sys.stderr.flush()
        self._width = len(text)

    def clear(self) -> None:
        sys.stderr.write("\r" + " " * self._width + "\r")
        sys.stderr.flush()


class _Notebook:
    def __init__(self, shell: Any) -> None:
        parent = shell.get_parent() or {}
        code = parent.get("content", {}).get("code", "")
        self._alone = _WHOLE_CELL.match(code) is not None
        self._id = f"greynb-progress-{parent.get('header', {}).get('msg_id', '')}"
        self._publish = shell.display_pub

    def show(self, text: str, fraction: float | None) -> None:
        bar = "" if not fraction else f'<progress value="{fraction:.3f}" max="1"></progress> '
        self._send({"text/plain": text, "text/html": f"<div>{bar}{_escaped(text)}</div>"})

    def clear(self) -> None:
        if self._alone:
            self._publish.clear_output(wait=False)
            _shown.discard(self._id)
        else:
            self._send({"text/plain": ""})

    def _send(self, data: dict[str, str]) -> None:
        update = self._id in _shown
        if not update:
            _shown.clear()  # one cell executes at a time
            _shown.add(self._id)
        self._publish.publish(data, {}, transient={"display_id": self._id}, update=update)


_shown: set[str] = set()
"""The display of the cell that executes now, for several long queries in one cell to share it."""


def _escaped(text: str) -> str:
    from html import escape

    return escape(text)
