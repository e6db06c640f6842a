"""Where a DataFrame came from, as ``df.attrs["greynb"]`` keeps it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from greynb import __version__
from greynb.databases.typedjson import encode_short
from greynb.databases.values import Unbindable, bindable

if TYPE_CHECKING:
    from greynb.databases.making import Making
    from greynb.databases.result import Kept


def provenance(
    *,
    sql: str,
    parameters: Mapping[str, object],
    role: str,
    file: object,
    snapshot: str | None,
    rows: int,
    seconds: float,
    columns: Sequence[str] | None = None,
    setup: Sequence[Making] = (),
    frames: Sequence[str] = (),
    kept: Kept | None = None,
    time: dt.datetime | None = None,
) -> dict[str, Any]:
    """Describe a result so that it can be stored as JSON and made again.

    The values are plain JSON types, so that comparing two of them (as ``pd.concat`` does) gives one truth
    value. pandas copies them with nearly every operation, so what may be long is one text.

    Parameters
    ----------
    sql, parameters
        The statement and the values bound to it; kept as `greynb.databases.typedjson` writes them.
    role, file, snapshot
        What it read; of a server its address without password.
    rows, columns, seconds
        What came back, and how long that took.
    setup
        What made the temporary tables that it read; kept as the JSON of a list, if there is any.
    frames
        The notebook's DataFrames that it read.
    kept
        When and how fast it was computed, where it came from the result cache.
    time
        When, aware; now by default. Stored in UTC, ISO 8601.
    """
    moment = time.astimezone(dt.UTC) if time else dt.datetime.now(dt.UTC)
    origin: dict[str, Any] = {}
    if kept:
        computed = kept.time.astimezone(dt.UTC).isoformat(timespec="seconds")
        origin["cache"] = {"time": computed, "seconds": round(kept.seconds, 6)}
    if columns is not None:
        origin["columns"] = json.dumps(columns)
    if setup:
        origin["setup"] = json.dumps([made.as_dict() for made in setup])
    if frames:
        origin["frames"] = json.dumps(frames)
    return {
        "sql": sql,
        "parameters": {name: _typed(value) for name, value in parameters.items()},
        "role": role,
        "file": str(file),
        "snapshot": snapshot,
        "time": moment.isoformat(timespec="seconds"),
        "rows": rows,
        "seconds": round(seconds, 6),
        "greynb": __version__,
        **origin,
    }


def _typed(value: object) -> Any:
    if type(value) in (str, int, bool):  # nearly all of them
        return value
    try:
        return encode_short(bindable(value, "duckdb"))
    except Unbindable:  # bound to SQLite, as DuckDB would not have it
        return str(value)
