"""The steps of a publication: how long each took and how far it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Progress = Callable[[str, float], None]
"""Told the name of a step and the part of it that is done, 0 to 1; may raise to stop."""

Told = Callable[[float], None]
"""Told the part that is done of one step; may raise to stop."""


@dataclass
class Steps:
    """Times the steps and passes their progress on."""

    progress: Progress | None
    seconds: dict[str, float] = field(default_factory=dict)
    _last: tuple[str, float] = field(default=("", 1.0), init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @contextmanager
    def step(self, name: str) -> Iterator[Told]:
        """Time the block; gives what it tells the fraction done, 0 to 1."""

        def told(fraction: float) -> None:
            with self._lock:
                self._last = name, fraction
                if self.progress is not None:
                    self.progress(name, fraction)

        begun = time.perf_counter()
        told(0.0)
        yield told
        self.seconds[name] = time.perf_counter() - begun
        told(1.0)

    def repeat(self) -> None:
        """Tell the progress of a step that goes on once more: who is told may raise, to stop it."""
        with self._lock:
            if self.progress is not None and self._last[1] < 1:
                self.progress(*self._last)
