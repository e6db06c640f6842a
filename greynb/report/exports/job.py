"""What every format's writer is given, and gives back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from greynb.report.exports.tables import batches

_THREADS = 4  # Arrow works without Python's lock


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked of a writer beside the rows.

    Attributes
    ----------
    title
        The name of the file that is made, without its suffix.
    record
        Gives the provenance of the rows, as JSON has it; waits for it, since the content is hashed while it
        is written.
    keep_formulas
        Whether texts that a spreadsheet would run stay as they are.
    told
        Called with the rows done so far; may raise to stop.
    """

    title: str
    record: Callable[[], Mapping[str, Any]]
    keep_formulas: bool = False
    told: Callable[[int], None] = lambda _rows: None


@dataclass(frozen=True, slots=True)
class Written:
    """What a writer has to say.

    Attributes
    ----------
    notices
        For the user.
    facts
        For the record beside the file: what a reader must know to undo it.
    """

    notices: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


def in_order(table: pa.Table, make: Callable[[pa.RecordBatch, int], Any], job: Job) -> Iterator[Any]:
    """Make something of each part of a table, on several threads, and give it in the order of the rows.

    A few parts are under way at once, so that memory stays small; after each one the job is told.

    Parameters
    ----------
    table
        The rows.
    make
        Called with a part and the number of its first row, from 0.
    job
        Whom to tell.
    """
    with ThreadPoolExecutor(_THREADS, "greynb export") as pool:
        waiting: deque[tuple[int, Future[Any]]] = deque()
        begin = 0

        def first() -> Any:
            rows, future = waiting.popleft()
            made = future.result()
            job.told(rows)
            return made

        try:
            for batch in batches(table):
                waiting.append((begin + batch.num_rows, pool.submit(make, batch, begin)))
                begin += batch.num_rows
                if len(waiting) > _THREADS:
                    yield first()
            while waiting:
                yield first()
        finally:
            for _, future in waiting:
                future.cancel()
