"""Views whose rows change although no table does: they ask for the time, or for random numbers."""

from __future__ import annotations

import re
from typing import Final

from greynb.databases.identifiers import quote
from greynb.databases.relations import Run

_CALL: Final = re.compile(r"(\w+)\((-?\d+)\)")
_RANDOM: Final = frozenset(
    {"random", "randomblob", "changes", "total_changes", "last_insert_rowid", "sqlite_version"}
    | {"current_date", "current_time", "current_timestamp"}
)
_DATED: Final = frozenset({"date", "time", "datetime", "julianday", "unixepoch", "strftime", "timediff"})
_MOMENTS: Final = frozenset({"now", "localtime", "utc"})


def changes_by_itself(run: Run, view: str) -> bool:
    """Whether SQLite's program for a view calls a function whose answer is not given by the tables.

    Parameters
    ----------
    run
        Runs one statement inside SQLite.
    view
        Its name.
    """
    program = [(str(step[1]), str(step[5] or "")) for step in run(f"EXPLAIN SELECT * FROM {quote(view)}")]
    constants = {text.lower() for operation, text in program if operation.startswith("String")}
    for operation, text in program:
        found = _CALL.fullmatch(text) if "Func" in operation else None
        if found is None:
            continue
        name, arguments = found[1].lower(), int(found[2])
        if name in _RANDOM or (name in _DATED and (arguments == 0 or constants & _MOMENTS)):
            return True
    return False
