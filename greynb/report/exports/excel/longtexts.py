"""Texts too long for a cell of Excel: a beginning in the cell, the whole of them in another sheet."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

LONGEST: Final = 32_767
"""UTF-16 code units that a cell holds."""
SHEET: Final = "Long texts"
_BEGINNING: Final = 1_000


def shortened(values: Any) -> tuple[Any, list[tuple[int, list[str]]]]:
    """Shorten the texts of a column that a cell cannot hold.

    Returns
    -------
    tuple
        The column, and for each such text the number of its row, from 0, and the text in pieces.
    """
    # No text has more code units than bytes of UTF-8, so most columns are done at once.
    candidates = pc.greater(pc.binary_length(values), LONGEST)
    if not pc.any(candidates).as_py():
        return values, []
    found = []
    texts = values.to_pylist()
    for at in pc.indices_nonzero(pc.fill_null(candidates, False)).to_pylist():
        pieces = _pieces(texts[at])
        if len(pieces) > 1:
            found.append((at, pieces))
            texts[at] = (
                f"{pieces[0][:_BEGINNING]}… (whole text of {len(texts[at]):,} characters: sheet {SHEET})"
            )
    return pa.array(texts, values.type), found


def _pieces(text: str) -> list[str]:
    """Cut a text into pieces of at most 32,767 code units, never inside a character."""
    if len(text.encode("utf-16-le")) <= 2 * LONGEST:
        return [text]
    step = LONGEST if text.isascii() else LONGEST // 2
    return [text[start : start + step] for start in range(0, len(text), step)]
