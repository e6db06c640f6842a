"""Rows read in batches whose memory does not depend on how long their values are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

_FIRST: Final = 32
_MOST: Final = 2_000
_BYTES: Final = 4_000_000
"""What the values of a batch take, about."""
_LOOKED_AT: Final = 16


def batches(fetch: Callable[[int], list[tuple[Any, ...]]]) -> Iterator[list[tuple[Any, ...]]]:
    """Fetch all rows of a cursor.

    Parameters
    ----------
    fetch
        Its ``fetchmany``.
    """
    size = _FIRST
    while batch := fetch(size):
        yield batch
        # At most four times as many as before: the next rows may be longer than those seen.
        size = max(1, min(_MOST, size * 4, _BYTES // _row_bytes(batch)))


def _row_bytes(batch: Sequence[tuple[Any, ...]]) -> int:
    rows = batch[:: max(1, len(batch) // _LOOKED_AT)]
    total = sum(len(value) if isinstance(value, str | bytes) else 8 for row in rows for value in row)
    return max(1, total // len(rows))
