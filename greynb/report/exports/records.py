"""Records of where exported files came from: where each format keeps its own, and what may be replaced."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Any, Final

from greynb.errors import UsageError

BESIDE: Final = ".meta.json"
"""What is added to the name of a file that has no room for a record in itself."""

Record = Mapping[str, Any]
Cell = tuple[Any, ...]
_SCRIPT = re.compile(r'<script type="application/json" class="greynb-source">(.*?)</script>', re.S)


def beside(path: Path) -> Path:
    """Give the path of the record beside a file."""
    return path.with_name(path.name + BESIDE)


def cell_of(df: object) -> Cell | None:
    """What identifies the cell that a frame came from; None where it came from no query."""
    origin = getattr(df, "attrs", {}).get("greynb") or {}
    named = {**origin, "file": PurePath(str(origin.get("file", ""))).name}
    return _cell(named) if origin.get("sql") else None


def check_replaceable(path: Path, cell: Cell | None, *, has_record_beside: bool) -> None:
    """Refuse to replace a file, unless it holds a result of the same cell.

    The same cell is the same statement on the same database file and role, with parameters of the same
    names: their values, and the data, may be others.

    Raises
    ------
    UsageError
        Another file is there.
    """
    if not path.exists() and not (has_record_beside and beside(path).exists()):
        return
    try:
        found = _read(path)
    except Exception:  # whatever is in the file, it is not ours
        found = None
    if found is None or cell is None or _cell(found) != cell:
        if found is None:
            message = "a file of another origin is there"
        elif cell is None:
            message = "a file is there, and the frame names no query that could have made it"
        else:
            message = "a file from another query is there"
        raise UsageError(message, path=path, hint="--force (in Python force=True) replaces it")


def _cell(record: Record) -> Cell:
    parameters = record.get("parameters") or {}
    return (record.get("sql"), sorted(parameters), record.get("role"), record.get("file"))


def _read(path: Path) -> Record | None:
    return _READERS.get(path.suffix.lower(), _read_beside)(path)


def _read_beside(path: Path) -> Record | None:
    found = json.loads(beside(path).read_text(encoding="utf-8"))["sources"]
    return found[0] if found else None


def _read_html(path: Path) -> Record | None:
    found = _SCRIPT.findall(path.read_text(encoding="utf-8"))
    return json.loads(found[-1]) if found else None


def _read_parquet(path: Path) -> Record | None:
    from greynb.report.exports.parquet import read_record

    return read_record(path)


def _read_excel(path: Path) -> Record | None:
    from greynb.report.exports.excel import sources

    return next(iter(sources(path)), None)


_READERS: dict[str, Callable[[Path], Record | None]] = {
    ".html": _read_html,
    ".parquet": _read_parquet,
    ".xlsx": _read_excel,
}
