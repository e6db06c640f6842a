"""The query log of a notebook: noting each cell, and ``%greynb log`` and ``%greynb slow``."""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from greynb.databases.sqltext import parameter_names, split_statements
from greynb.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from greynb.notebook.cells import Outcome
    from greynb.notebook.config import Greynb
    from greynb.querylog import Entry
    from greynb.querylog.explaining import Explanation
    from greynb.routing import Route

_SHOWN = 20


def logged(route: Route, sql: str, config: Greynb, ran: Callable[[], Outcome]) -> Outcome:
    """Run a cell, and note it in the log where that is on, also when it fails."""
    if not config.log:
        return ran()
    from greynb import querylog

    path, keep = log_file(config), config.log_values
    now, begun = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"), time.perf_counter()
    try:
        outcome = ran()
    except BaseException as error:
        seconds, name, what = time.perf_counter() - begun, type(error).__name__, str(error)
        querylog.note(path, lambda: [_failed(route, sql, now, seconds, (name, what), keep)])
        raise
    statements = [
        (each.sql, each.seconds, each.affected if each.frame is None else len(each.frame), bool(each.kept))
        for each in outcome.results
    ]
    version, values = outcome.snapshot, outcome.parameters if keep else dict.fromkeys(outcome.parameters)
    querylog.note(path, lambda: _entries(route, sql, now, version, values, statements))
    if trouble := querylog.trouble(path):
        print(f"greynb: {trouble}", file=sys.stderr)
    return outcome


def log_file(config: Greynb) -> Path:
    """The file of the log."""
    from greynb.querylog import default_file

    return Path(config.log_file).expanduser() if config.log_file else default_file()


def _failed(route: Route, sql: str, now: str, seconds: float, error: tuple[str, str], keep: bool) -> Entry:
    """The whole cell; an error can quote a parameter's value, and is then kept by its kind alone."""
    from greynb.querylog import Entry

    kind, message = error
    names = parameter_names(sql, route.dialect)
    told = f"{kind}: {message.splitlines()[0]}" if message and (keep or not names) else kind
    named = dict.fromkeys(names)
    return Entry(now, route.role, str(route.place), None, sql.strip(), named, seconds, None, told)


def _entries(
    route: Route,
    sql: str,
    now: str,
    version: str | None,
    values: Mapping[str, object],
    statements: Sequence[tuple[str, float, int | None, bool]],
) -> list[Entry]:
    """One entry a statement, each with its text as it was written."""
    from greynb.databases.typedjson import encode
    from greynb.querylog import Entry

    dialect = route.dialect
    written = [each.text for each in split_statements(sql, dialect)]
    if len(written) != len(statements):
        written = [each[0] for each in statements]
    found = []
    for text, (_, seconds, rows, kept) in zip(written, statements, strict=True):
        named = {name: encode(values[name]) for name in parameter_names(text, dialect) if name in values}
        found.append(
            Entry(now, route.role, str(route.place), version, text, named, seconds, rows, None, kept)
        )
    return found


def show_log(words: Sequence[str], config: Greynb) -> pd.DataFrame:
    """The last statements, the newest first: ``%greynb log [-n N]``."""
    import pandas as pd

    from greynb import querylog

    count = _number(words, "-n", "%greynb log [-n N]")
    querylog.flush()
    entries = querylog.last(log_file(config), count or _SHOWN)
    names = ("time", "role", "version", "seconds", "rows", "sql", "error")
    columns = {name: [getattr(each, name) for each in entries] for name in names}
    for name in ("version", "error"):  # an empty text shows as nothing, and None as NaN
        columns[name] = [each or "" for each in columns[name]]
    shown = pd.DataFrame(
        {**columns, "parameters": [", ".join(map(_shown, each.parameters.items())) for each in entries]}
    )
    return shown.astype({"rows": "Int64"})


def _shown(parameter: tuple[str, object]) -> str:
    name, value = parameter
    return name if value is None else f"{name}={value}"


def slow(words: Sequence[str], config: Greynb) -> pd.DataFrame | Explanation:
    """The statements that took the longest in all: ``%greynb slow [-n N] [--explain N]``."""
    import pandas as pd

    from greynb import querylog
    from greynb.querylog.explaining import explained

    usage = "%greynb slow [-n N], %greynb slow --explain N"
    querylog.flush()
    if list(words[:1]) == ["--explain"]:
        number = _number(words, "--explain", usage) or 1
        return explained(querylog.nth(log_file(config), number))
    groups = querylog.slowest(log_file(config), _number(words, "-n", usage) or _SHOWN)
    return pd.DataFrame(
        {
            "role": [each.newest.role for each in groups],
            "count": [len(each.entries) for each in groups],
            "median s": [each.median for each in groups],
            "total s": [each.total for each in groups],
            "failed": [each.failed for each in groups],
            "sql": [each.sql for each in groups],
        },
        index=pd.RangeIndex(1, len(groups) + 1),
    )


def _number(words: Sequence[str], option: str, usage: str) -> int | None:
    if not words:
        return None
    if len(words) != 2 or words[0] != option or not words[1].isdecimal() or int(words[1]) < 1:
        raise UsageError(f"not understood: {' '.join(words)}", hint=usage)
    return int(words[1])


COMMANDS: dict[str, Callable[[Sequence[str], Greynb], object]] = {"log": show_log, "slow": slow}
