"""Reading back what a file carries of its results: the records, and whether it was edited since."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from greynb.databases.filehash import sha256_of
from greynb.errors import UsageError
from greynb.report.exports.records import SCRIPT, beside
from greynb.report.recording import Source, sources_of
from greynb.report.seal import has_seal, seal_holds

_LARGEST: Final = 1_000_000_000
"""Bytes of a file that is read as a whole."""
_ATTACHED: Final = "greynb.json"
_NO_RECORD: Final = "an export of greynb carries its record in itself, or in NAME.csv.meta.json beside it"


@dataclass(frozen=True, slots=True)
class Carried:
    """What a file says of itself.

    Attributes
    ----------
    sources
        The records of its results.
    edited
        What is known to have been changed since it was made.
    checked
        How that was looked at; empty where it could not be.
    facts
        How the file was written, as an export notes it.
    """

    sources: tuple[Source, ...]
    edited: tuple[str, ...] = ()
    checked: str = ""
    facts: Mapping[str, Any] | None = None


def carried_by(path: Path) -> Carried:
    """Read the records of a report or an export.

    Raises
    ------
    UsageError
        The file is not there, cannot be read, or carries no record.
    """
    if not path.is_file():
        raise UsageError("there is no such file", path=path)
    read = _READERS.get(path.suffix.lower(), _beside)
    try:
        found = read(path)
    except UsageError:
        raise
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        OSError,
    ) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise UsageError(f"the record in the file is damaged: {first}", path=path) from error
    if not found.sources:
        raise UsageError("the file carries no record of where it came from", path=path, hint=_NO_RECORD)
    return found


def _text(path: Path) -> str:
    if path.stat().st_size > _LARGEST:
        raise UsageError("the file is larger than 1 GB, too large to be verified", path=path)
    # Bytes, as the seal counts them: line ends must come as they are.
    return path.read_bytes().decode("utf-8")


def _records(found: Any) -> tuple[Source, ...]:
    return tuple(map(Source.from_dict, found))


def _html(path: Path) -> Carried:
    page = _text(path)
    sources = _records([json.loads(each) for each in SCRIPT.findall(page)])
    if seal_holds(page):
        return Carried(sources, checked="the page is as it was made")
    what = "was edited" if has_seal(page) else "lost its seal, so it was edited,"
    return Carried(sources, edited=(f"the page {what} after it was made",))


def _parquet(path: Path) -> Carried:
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(path).metadata or {}
    return Carried(_records([json.loads(metadata[b"greynb"])] if b"greynb" in metadata else []))


def _excel(path: Path) -> Carried:
    from greynb.report.exports.excel import sources
    from greynb.report.exports.excel.parts import opened

    with opened(path) as archive:
        if sum(each.file_size for each in archive.infolist()) > _LARGEST:
            raise UsageError("the workbook is larger than 1 GB, too large to be verified", path=path)
    return Carried(_records(sources(path)))


def _notebook(path: Path) -> Carried:
    return Carried(tuple(sources_of(json.loads(_text(path)))))


def _pdf(path: Path) -> Carried:
    try:
        import pypdf
    except ImportError as error:
        raise UsageError(
            "reading a PDF needs pypdf", path=path, hint='pip install "greynb[report]"'
        ) from error
    try:
        attached = pypdf.PdfReader(path).attachments.get(_ATTACHED, [])
    except pypdf.errors.PyPdfError as error:
        raise ValueError(f"no PDF that can be read ({error})") from error
    return Carried(_records(json.loads(attached[0])["sources"]) if attached else ())


def _beside(path: Path) -> Carried:
    """Read ``NAME.csv.meta.json``."""
    meta = beside(path)
    if not meta.is_file():
        return Carried(())
    found = json.loads(_text(meta))
    facts = found.get("export") or found["report"]
    sources = _records(found["sources"])
    if facts["sha256"] == sha256_of(path):
        return Carried(sources, checked="the file is as it was written", facts=facts)
    return Carried(sources, edited=("the file was edited after it was written",), facts=facts)


_READERS: Final[dict[str, Callable[[Path], Carried]]] = {
    ".html": _html,
    ".htm": _html,
    ".parquet": _parquet,
    ".xlsx": _excel,
    ".ipynb": _notebook,
    ".pdf": _pdf,
}
