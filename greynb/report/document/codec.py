"""Blocks as JSON: how a notebook's kernel hands them to the process that makes the report.

They travel as outputs of a type of their own, beside the HTML that a notebook shows, so that a PDF or a
workbook is made of tables and charts, not of their HTML.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from greynb.report.document import blocks
from greynb.report.document.blocks import Block
from greynb.report.recording import Source

if TYPE_CHECKING:
    import pandas as pd

MIME: Final = "application/vnd.greynb.block+json"
"""A list of blocks."""
CARRIED: Final = 100_000
"""Rows of a table that travel; the table still says how many there are."""


def as_json(found: Sequence[Block]) -> list[dict[str, Any]]:
    """Write blocks as plain JSON."""
    return [{"kind": _NAMES[type(block)], **_written(block)} for block in found]


def from_json(found: Sequence[Mapping[str, Any]]) -> list[Block]:
    """Read `as_json` back.

    Raises
    ------
    ValueError, KeyError, TypeError
        It is something else.
    """
    return [_READERS[each["kind"]](each) for each in found]


def _written(block: Block) -> dict[str, Any]:
    fields = {name: getattr(block, name) for name in type(block).__slots__}
    if "sources" in fields:
        fields["sources"] = [source.as_dict() for source in fields["sources"]]
    if isinstance(block, blocks.Table):
        fields["columns"] = [asdict(column) for column in block.columns]
        fields["frame"] = _frame_as_text(block.frame.iloc[:CARRIED])
    elif isinstance(block, blocks.Tiles):
        fields["tiles"] = [asdict(tile) for tile in block.tiles]
    elif isinstance(block, blocks.Picture):
        fields["data"] = base64.b64encode(block.data).decode("ascii")
    return fields


def _frame_as_text(frame: pd.DataFrame) -> dict[str, Any]:
    """Write a frame as Arrow, which keeps its types; a column of mixed values goes as text."""
    import pyarrow as pa

    from greynb.report.exports.tables import as_table

    places = frame.set_axis([str(place) for place in range(frame.shape[1])], axis=1)
    table = as_table(places.reset_index(drop=True)).arrow if frame.shape[1] else pa.table({})
    file = io.BytesIO()
    with pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table)
    names = [str(name) for name in frame.columns]
    return {"names": names, "rows": len(frame), "arrow": base64.b64encode(file.getvalue()).decode("ascii")}


def _frame(found: Mapping[str, Any]) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    table = pa.ipc.open_stream(base64.b64decode(found["arrow"])).read_all()
    frame: pd.DataFrame = table.to_pandas() if found["names"] else pd.DataFrame(index=range(found["rows"]))
    frame.columns = pd.Index(found["names"], dtype=object)
    return frame


def _sources(found: Mapping[str, Any]) -> tuple[Source, ...]:
    return tuple(Source.from_dict(each) for each in found["sources"])


def _table(found: Mapping[str, Any]) -> blocks.Table:
    columns = tuple(
        blocks.Column(**{**each, "texts": tuple(each["texts"]), "shades": tuple(each["shades"])})
        for each in found["columns"]
    )
    return blocks.Table(
        columns,
        _frame(found["frame"]),
        found["total"],
        found["caption"],
        tuple((text, first, count) for text, first, count in found["spanners"]),
        _sources(found),
    )


_READERS: dict[str, Callable[[Mapping[str, Any]], Block]] = {
    "heading": lambda found: blocks.Heading(found["text"], found["level"]),
    "text": lambda found: blocks.Text(found["markdown"]),
    "note": lambda found: blocks.Note(found["text"]),
    "code": lambda found: blocks.Code(found["text"], found["language"]),
    "tiles": lambda found: blocks.Tiles(
        tuple(blocks.Tile(**tile) for tile in found["tiles"]), _sources(found)
    ),
    "table": _table,
    "chart": lambda found: blocks.Chart(found["svg"], found["alt"], found["caption"], _sources(found)),
    "picture": lambda found: blocks.Picture(base64.b64decode(found["data"]), found["alt"]),
    "foreign": lambda found: blocks.Foreign(found["html"], found["text"]),
}
_NAMES: dict[type, str] = {
    blocks.Heading: "heading",
    blocks.Text: "text",
    blocks.Note: "note",
    blocks.Code: "code",
    blocks.Tiles: "tiles",
    blocks.Table: "table",
    blocks.Chart: "chart",
    blocks.Picture: "picture",
    blocks.Foreign: "foreign",
}
