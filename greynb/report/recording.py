"""What a report or an export keeps of each result, so that it can be made again and compared."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, Literal

from greynb import __version__
from greynb.databases.typedjson import decode, encode

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["query", "evaluation", "unknown"]

KEPT_VALUES: Final = 20_000
"""Values (rows × columns) up to which a record keeps all of them; of a larger result it keeps hashes."""
FORMAT: Final = 1
MIME: Final = "application/vnd.greynb.source+json"
"""The type of a notebook's output that holds a list of records."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a result came from and what it was.

    Attributes
    ----------
    kind
        ``"query"``; ``"evaluation"`` for what `greynb.evaluate` gave; ``"unknown"`` for a frame that was made
        otherwise, of which only the content is known.
    sql, parameters
        The statement as written in the cell, and the values of its ``:name``s as
        `greynb.databases.typedjson` writes them.
    setup
        Statements that made the temporary tables, views and macros that it reads, in order: ``sql``,
        ``parameters`` and ``version`` of each.
    frames
        DataFrames of the notebook that it, or the setup, reads.
    role, file, version
        What it read: role, name of the file, and the version of analytics, ``gen-000042``.
    time, seconds, greynb
        When it ran, UTC in ISO 8601; how long it took; by which greynb.
    arguments
        Of an evaluation, in typed JSON.
    columns, types, rows
        The result's columns, their dtypes, and the number of rows.
    hash, column_hashes
        As `greynb.report.canonical.Content` has them.
    values
        The values row by row, in typed JSON; None where they are more than 20,000.
    sums
        Of a result without values, what `greynb.report.probes` keeps of its floats.
    derived
        Whether the result no longer has the rows or columns that the query gave.
    """

    kind: Kind
    sql: str
    parameters: Mapping[str, Any]
    setup: Sequence[Mapping[str, Any]]
    frames: Sequence[str]
    role: str
    file: str
    version: str | None
    time: str
    seconds: float
    greynb: str
    arguments: Mapping[str, Any]
    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: int
    hash: str
    column_hashes: tuple[str, ...]
    values: Sequence[Sequence[Any]] | None
    derived: bool = False
    sums: Mapping[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The same as plain JSON; the file by its name only."""
        texts = {name: list(getattr(self, name)) for name in ("columns", "types", "column_hashes")}
        return {"format": FORMAT, **asdict(self), **texts}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Source:
        """Read `as_dict` back; nothing in it is trusted.

        Raises
        ------
        ValueError
            It is no such record, or one of another format.
        """
        if not isinstance(found, Mapping) or found.get("format") != FORMAT:
            raise ValueError("not a record of greynb, or of another version")
        given = {name: value for name, value in found.items() if name != "format"}
        for each in fields(cls):
            if not isinstance(given.get(each.name), _JSON_TYPES[each.name]):
                raise ValueError(f"the record's {each.name} is missing or of another type")
        if given["kind"] not in ("query", "evaluation", "unknown") or set(given) - set(_JSON_TYPES):
            raise ValueError("a record of a later version of greynb")
        for name in ("columns", "types", "column_hashes"):
            given[name] = tuple(map(str, given[name]))
        values, width = given["values"], len(given["columns"])
        if values is not None and not (len(values) == given["rows"] and _all_wide(values, width)):
            raise ValueError("the record's values are not as many as its rows and columns")
        return cls(**given)


def _all_wide(rows: Sequence[Any], width: int) -> bool:
    return all(isinstance(row, list) and len(row) == width for row in rows)


def sources_of(node: Mapping[str, Any]) -> list[Source]:
    """Give the records that an executed notebook carries, in order; each once.

    Raises
    ------
    ValueError
        One of them is none.
    """
    outputs = (each for cell in node["cells"] for each in cell.get("outputs", []))
    records = (record for each in outputs for record in each.get("data", {}).get(MIME, ()))
    found = [Source.from_dict(record) for record in records]
    return [source for number, source in enumerate(found) if source not in found[:number]]


def source_of(df: pd.DataFrame) -> Source | None:
    """Describe a frame that came from a cell or an evaluation; None for one of another origin."""
    return described(df) if isinstance(df.attrs.get("greynb"), Mapping) else None


def described(df: pd.DataFrame) -> Source:
    """Describe any frame; of one that came from no cell, its content is all that is known."""
    from greynb.report.canonical import content_of

    origin: Mapping[str, Any] = df.attrs.get("greynb") or {}
    floats = None if df.size <= KEPT_VALUES else is_float(map(str, df.dtypes))
    content = content_of(df, floats)
    return Source(
        kind=origin.get("kind", "query" if origin else "unknown"),
        sql=str(origin.get("sql", "")),
        parameters=_whole(origin.get("parameters", {})),
        setup=json.loads(origin.get("setup", "[]")),
        frames=json.loads(origin.get("frames", "[]")),
        role=str(origin.get("role", "")),
        file=PurePath(str(origin.get("file", ""))).name,
        version=origin.get("snapshot"),
        time=str(origin.get("time") or dt.datetime.now(dt.UTC).isoformat(timespec="seconds")),
        seconds=float(origin.get("seconds", 0.0)),
        greynb=str(origin.get("greynb", __version__)),
        arguments=_whole(origin.get("arguments", {})),
        columns=tuple(map(str, df.columns)),
        types=tuple(map(str, df.dtypes)),
        rows=len(df),
        hash=content.hash,
        column_hashes=content.columns,
        values=_values(df),
        derived=derived(df),
        sums=content.sums,
    )


def is_float(types: Iterable[str]) -> list[bool]:
    """Whether columns of these dtypes hold floats."""
    return [kind.lower().startswith("float") for kind in types]


def derived(df: pd.DataFrame) -> bool:
    """Whether a frame has other rows or columns than its query gave.

    Values that were changed in place are not noticed here: `greynb verify` finds them.
    """
    origin = df.attrs.get("greynb") or {}
    columns = origin.get("columns")
    return bool(origin) and (
        origin.get("rows") != len(df)
        or (columns is not None and json.loads(columns) != list(map(str, df.columns)))
    )


def _whole(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters with their lists as lists; in attrs these are texts, which are free to copy."""
    return {name: encode(decode(value)) for name, value in parameters.items()}


def _values(df: pd.DataFrame) -> list[list[Any]] | None:
    """The values row by row, in typed JSON, unless they are too many."""
    if df.size > KEPT_VALUES:
        return None
    columns = [[_encoded(value) for value in df.iloc[:, number]] for number in range(df.shape[1])]
    return [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in range(len(df))]


def _encoded(value: Any) -> Any:
    import numpy as np
    import pandas as pd

    if isinstance(value, (np.ndarray, np.generic)):
        return _encoded(value.tolist())
    if isinstance(value, dict):
        return {"struct": [[_encoded(key), _encoded(item)] for key, item in value.items()]}
    if isinstance(value, (list, tuple)):
        return {"list": [_encoded(item) for item in value]}
    missing = value is None or value is pd.NaT or value is pd.NA
    return None if missing or (isinstance(value, (float, Decimal)) and value != value) else encode(value)


_TEXTS: Final = (list, tuple)
_JSON_TYPES: Final[dict[str, Any]] = {
    **dict.fromkeys(("kind", "sql", "role", "file", "time", "greynb", "hash"), str),
    **dict.fromkeys(("parameters", "arguments"), dict),
    **dict.fromkeys(("setup", "frames", "columns", "types", "column_hashes"), _TEXTS),
    "version": (str, type(None)),
    "seconds": (int, float),
    "rows": int,
    "values": (list, type(None)),
    "derived": bool,
    "sums": (dict, type(None)),
}
