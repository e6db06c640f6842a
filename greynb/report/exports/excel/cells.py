"""Rows of a sheet as the XML of the file format, made by whole columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from greynb.report.exports.excel.columns import numbers
from greynb.report.exports.formulas import would_run
from greynb.report.exports.texts import TEXT, join, replaced, rewritten

# What XML cannot hold Excel writes as _xHHHH_; a text that looks like that itself gets its _ written so.
_UNUSUAL = r"[\x00-\x08\x0b-\x1f\x{fffe}\x{ffff}]|_x[0-9A-Fa-f]{4}_"
_SPECIAL = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


def rows_xml(
    columns: Sequence[Any], letters: Sequence[str], begin: int, styles: Sequence[int], texts: Sequence[int]
) -> Any:
    """Write rows as ``<row>`` elements.

    Parameters
    ----------
    columns
        Arrays of the types of `greynb.report.exports.texts.readable`.
    letters
        Each column's letters in the sheet.
    begin
        The number of the first row, from 1.
    styles
        The number of each column's format.
    texts
        The numbers of the formats of a text, and of a text that could be taken for a formula.

    Returns
    -------
    array
        One text for each row.
    """
    count = len(columns[0])
    numbered = pa.array(range(begin, begin + count), pa.int64()).cast(TEXT)
    cells = [
        _cells(column, letter, numbered, style, texts)
        for column, letter, style in zip(columns, letters, styles, strict=True)
    ]
    return join(['<row r="', numbered, '">', *cells, "</row>"], null="")


def _cells(column: Any, letter: str, numbered: Any, style: int, text_styles: Sequence[int]) -> Any:
    """Write cells; an empty one is NULL."""
    if pa.types.is_boolean(column.type):
        value = pc.if_else(column, pa.scalar("1", TEXT), pa.scalar("0", TEXT))
        return join([f'<c r="{letter}', numbered, f'" s="{style}" t="b"><v>', value, "</v></c>"])
    number, text = numbers(column)
    cells = join([f'<c r="{letter}', numbered, f'" s="{style}"><v>', number, "</v></c>"])
    if text.null_count == len(text):
        return cells
    plain, quoted = (pa.scalar(str(each), TEXT) for each in text_styles)
    shown = pc.if_else(would_run(text), quoted, plain)
    opening = [f'<c r="{letter}', numbered, '" s="', shown, '" t="inlineStr"><is><t xml:space="preserve">']
    return pc.coalesce(cells, join([*opening, escaped(text), "</t></is></c>"]))


def escaped(text: Any) -> Any:
    """Escape texts for XML, and for Excel what XML cannot hold."""
    unusual = pc.match_substring_regex(text, _UNUSUAL)
    text = rewritten(text, unusual, lambda value: _SPECIAL.sub(_code, value))
    return replaced(text, ("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))


def _code(found: re.Match[str]) -> str:
    return f"_x{ord(found[0]):04X}_"
