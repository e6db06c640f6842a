"""The SQL cells that this kernel ran last, for whoever asks; nothing is written."""

from __future__ import annotations

import datetime as dt
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from greynb.routing import Role

if TYPE_CHECKING:
    from greynb.notebook.cells import Outcome

KEPT: Final = 50
LONGEST: Final = 2_000  # characters of SQL


@dataclass(frozen=True, slots=True)
class Ran:
    """One SQL cell.

    Attributes
    ----------
    at
        When it began (UTC, ISO 8601).
    role
        On which database.
    sql
        Its text, the longest cut.
    seconds
        How long it took.
    rows
        Rows of its last result; None where it gave none.
    error
        What went wrong, in one line; empty where nothing did.
    """

    at: str
    role: Role
    sql: str
    seconds: float
    rows: int | None
    error: str

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


_ran: deque[Ran] = deque(maxlen=KEPT)


def noted(role: Role, sql: str, run: Callable[[], Outcome]) -> Outcome:
    """Run a cell and remember it, also when it fails."""
    now, begun = dt.datetime.now(dt.UTC), time.perf_counter()
    rows, error = None, ""
    try:
        outcome = run()
        frames = [each.frame for each in outcome.results if each.frame is not None]
        rows = len(frames[-1]) if frames else None
        return outcome
    except BaseException as failed:
        error = (str(failed).splitlines() or [type(failed).__name__])[0]
        raise
    finally:
        spent = time.perf_counter() - begun
        at = now.isoformat(timespec="seconds")
        _ran.append(Ran(at, role, sql.strip()[:LONGEST], spent, rows, error))


def last() -> list[Ran]:
    """The cells, the newest first."""
    return list(reversed(_ran))
