"""Records of where exported files came from: where each format keeps its own, and what may be replaced."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Any, Final

from greynb.databases.filehash import sha256_of
from greynb.errors import UsageError
from greynb.report.seal import seal_holds

BESIDE: Final = ".meta.json"
"""What is added to the name of a file that has no room for a record in itself."""

Record = Mapping[str, Any]
Cell = tuple[Any, ...]
SCRIPT: Final = re.compile(r'<script type="application/json" class="greynb-source">(.*?)</script>', re.S)
"""How a page carries a record."""
_REPORT: Final = '<body class="greynb">'


def beside(path: Path) -> Path:
    """Give the path of the record beside a file."""
    return path.with_name(path.name + BESIDE)


def cell_of(df: object) -> Cell | None:
    """What identifies the cell that a frame came from; None where it came from no query."""
    origin = getattr(df, "attrs", {}).get("greynb") or {}
    named = {**origin, "file": PurePath(str(origin.get("file", ""))).name}
    return _cell(named) if origin.get("sql") else None


def check_replaceable(path: Path, cell: Cell | None, *, has_record_beside: bool) -> None:
    """Refuse to replace a file, unless it is an export of the same cell.

    A report that shows a result of the cell is none, and neither is a file that was edited, as far as that
    can be told: of text by its hash, of a page by its seal, of a workbook by its sheets.

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
            message = "a file of another origin, or one that was edited, is there"
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
    found = json.loads(beside(path).read_text(encoding="utf-8"))
    if path.exists() and sha256_of(path) != found["export"]["sha256"]:
        return None
    (source,) = found["sources"]
    return dict(source)


def _read_html(path: Path) -> Record | None:
    page = path.read_bytes().decode("utf-8")
    found = SCRIPT.findall(page)
    return json.loads(found[-1]) if found and _REPORT not in page and seal_holds(page) else None


def _read_parquet(path: Path) -> Record | None:
    from greynb.report.exports.parquet import read_record

    return read_record(path)


def _read_excel(path: Path) -> Record | None:
    from greynb.report.exports.excel import is_export, sources

    return next(iter(sources(path)), None) if is_export(path) else None


_READERS: dict[str, Callable[[Path], Record | None]] = {
    ".html": _read_html,
    ".parquet": _read_parquet,
    ".xlsx": _read_excel,
}
