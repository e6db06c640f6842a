"""Where a DataFrame came from, as ``df.attrs["greynb"]`` keeps it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from os import PathLike
from typing import Any

from greynb import __version__

_LONGEST = 20
"""Items of a list parameter that are kept; pandas copies attrs with nearly every operation."""


def provenance(
    *,
    sql: str,
    parameters: Mapping[str, object],
    role: str,
    file: str | PathLike[str],
    snapshot: str | None,
    rows: int,
    seconds: float,
    time: dt.datetime | None = None,
) -> dict[str, Any]:
    """Describe a result so that it can be stored as JSON and made again.

    The values are plain JSON types, so that comparing two of them (as ``pd.concat`` does) gives one truth
    value. A long list of values is kept as its length and first items.

    Parameters
    ----------
    sql, parameters
        The statement and the values bound to it.
    role, file, snapshot
        What it read.
    rows, seconds
        What came back, and how long that took.
    time
        When, aware; now by default. Stored in UTC, ISO 8601.
    """
    moment = time.astimezone(dt.UTC) if time else dt.datetime.now(dt.UTC)
    return {
        "sql": sql,
        "parameters": {name: _plain(value) for name, value in parameters.items()},
        "role": role,
        "file": str(file),
        "snapshot": snapshot,
        "time": moment.isoformat(timespec="seconds"),
        "rows": rows,
        "seconds": round(seconds, 6),
        "greynb": __version__,
    }


def _plain(value: object) -> Any:
    unwrapped = value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value
    if unwrapped is None or isinstance(unwrapped, (bool, int, str)):
        return unwrapped
    if isinstance(unwrapped, float):
        return unwrapped if abs(unwrapped) < float("inf") else str(unwrapped)
    if isinstance(unwrapped, (bytes, bytearray)):
        return unwrapped[:64].hex()
    items = unwrapped.tolist() if hasattr(unwrapped, "tolist") else unwrapped
    if isinstance(items, (list, tuple, set, frozenset)):
        kept = [_plain(item) for item in list(items)[:_LONGEST]]
        return kept if len(items) <= _LONGEST else {"items": len(items), "first": kept}
    return str(unwrapped)
