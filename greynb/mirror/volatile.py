"""Views whose rows change although no table does: they ask for the time, or for random numbers."""

from __future__ import annotations

import re
import sqlite3
from typing import Final

from greynb.databases.identifiers import quote

_CALL: Final = re.compile(r"(\w+)\((-?\d+)\)")
_RANDOM: Final = frozenset(
    {"random", "randomblob", "changes", "total_changes", "last_insert_rowid", "sqlite_version"}
    | {"current_date", "current_time", "current_timestamp"}
)
_DATED: Final = frozenset({"date", "time", "datetime", "julianday", "unixepoch", "strftime", "timediff"})
_MOMENTS: Final = frozenset({"now", "localtime", "utc", "subsec", "subsecond"})
_AT_ONCE: Final = {"date": 0, "time": 0, "datetime": 0, "julianday": 0, "unixepoch": 0, "strftime": 1}
"""With how many arguments each of these means the current moment; ``strftime('%Y')``, for one."""


def changes_by_itself(con: sqlite3.Connection, view: str) -> bool:
    """Whether SQLite's program for a view calls a function whose answer is not given by the tables.

    Parameters
    ----------
    con
        A connection for this question alone: afterwards it no longer knows the time.
    view
        Its name.
    """
    for name, number in _AT_ONCE.items():
        # A program says how many arguments a function may have, not how many it is called with: any, for
        # those of SQLite. One of just so many comes before them.
        con.create_function(name, number, _unknown)
    steps = con.execute(f"EXPLAIN SELECT * FROM {quote(view)}").fetchall()
    program = [(str(step[1]), str(step[5] or "")) for step in steps]
    constants = {text.lower() for operation, text in program if operation.startswith("String")}
    for operation, text in program:
        found = _CALL.fullmatch(text) if "Func" in operation else None
        if found is None:
            continue
        name, arguments = found[1].lower(), int(found[2])
        is_now = _AT_ONCE.get(name) == arguments or (name in _DATED and constants & _MOMENTS)
        if name in _RANDOM or is_now:
            return True
    return False


def _unknown(*_arguments: object) -> None:
    """What the time is; never called, since a program is only looked at."""
