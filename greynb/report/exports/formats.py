"""The formats, by the suffix of the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from greynb.errors import UsageError
from greynb.report.exports.csv import write_csv
from greynb.report.exports.excel import write_excel
from greynb.report.exports.html import write_html
from greynb.report.exports.job import Job, Written
from greynb.report.exports.json import write_json
from greynb.report.exports.latex import write_latex
from greynb.report.exports.markdown import write_markdown
from greynb.report.exports.parquet import write_parquet
from greynb.report.exports.tables import Table


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of file.

    Attributes
    ----------
    write
        Writes a table to a path.
    record_beside
        Whether its provenance is a file beside it, since it has no room for one.
    """

    write: Callable[[Table, Path, Job], Written]
    record_beside: bool = False


FORMATS: Final[dict[str, Format]] = {
    ".csv": Format(write_csv, record_beside=True),
    ".parquet": Format(write_parquet),
    ".json": Format(write_json, record_beside=True),
    ".md": Format(write_markdown, record_beside=True),
    ".html": Format(write_html),
    ".xlsx": Format(write_excel),
    ".tex": Format(write_latex, record_beside=True),
}


def format_of(path: Path) -> Format:
    """Choose the format of a path.

    Raises
    ------
    UsageError
        Its suffix is none of the formats'.
    """
    suffix = path.suffix.lower()
    if suffix in FORMATS:
        return FORMATS[suffix]
    close = get_close_matches(suffix, FORMATS, n=1, cutoff=0.5)
    message = f"no format for the suffix {suffix!r}" if suffix else "a path without a suffix has no format"
    raise UsageError(
        message + (f"; did you mean {close[0]}?" if close else ""),
        path=path,
        hint="suffixes: " + ", ".join(FORMATS),
    )
