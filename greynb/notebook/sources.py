"""Keeping what results came from in the notebook itself, as outputs that its viewers do not show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    import pandas as pd
    from IPython.core.interactiveshell import InteractiveShell

    from greynb.notebook.config import Greynb


def publish_sources(frames: Iterable[pd.DataFrame]) -> None:
    """Put the records of frames into the outputs of the cell that runs."""
    from IPython.display import publish_display_data

    from greynb.report.recording import MIME, source_of

    records = [source.as_dict() for source in map(source_of, frames) if source is not None]
    if records:
        publish_display_data({MIME: records})  # type: ignore[no-untyped-call]  # IPython's own


class Evaluations:
    """Publishes what evaluations a cell has left in the notebook's variables.

    `greynb.evaluate` lies below the notebook and knows nothing of it; its results are Python objects like
    others. So they are looked for after each cell, where records are wanted.

    Parameters
    ----------
    shell
        Whose variables.
    settings
        Whether records are wanted.
    """

    def __init__(self, shell: InteractiveShell, settings: Greynb) -> None:
        self._shell = shell
        self._settings = settings
        self._seen: WeakValueDictionary[int, Any] = WeakValueDictionary()

    def after_cell(self, _result: object) -> None:
        """Publish those that are new."""
        if self._settings.record:
            publish_sources(self._new())

    def _new(self) -> Iterator[pd.DataFrame]:
        for value in list(self._shell.user_ns.values()):
            table = getattr(value, "table", None) if type(value).__name__ == "Evaluation" else None
            origin = getattr(table, "attrs", {}).get("greynb")
            if isinstance(origin, Mapping) and self._seen.get(id(table)) is not table:
                self._seen[id(table)] = table
                yield table  # type: ignore[misc]  # a frame, as it has attrs
