"""The sources of a notebook's code cells with the lines they stand on; json alone does not tell them."""

from __future__ import annotations

from collections.abc import Callable
from json.decoder import JSONDecodeError, JSONDecoder, scanstring  # type: ignore[attr-defined]
from typing import Any, NamedTuple

_scan: Callable[[str, int], tuple[str, int]] = scanstring
_scalar = JSONDecoder().raw_decode
_SPACE = " \t\n\r"
_DEEPEST = 400


class Located(NamedTuple):
    """A text and the line of the file that it stands on, from 1."""

    text: str
    line: int


class Source(NamedTuple):
    """The source of a code cell: its texts in order."""

    pieces: list[Located]


class _Reader:
    """Reads JSON, keeping for each string where it is."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line, self._at = 1, 0

    def value(self, place: int, depth: int = 0) -> tuple[Any, int]:
        """The value at a place (strings as `Located`), and the place after it."""
        place = self._after_space(place)
        sign = self._text[place : place + 1]
        if depth > _DEEPEST:
            raise ValueError("it is nested too deeply")
        if sign == '"':
            text, end = _scan(self._text, place + 1)
            return Located(text, self._line_of(place)), end
        if sign == "{":
            return self._object(place + 1, depth)
        if sign == "[":
            return self._array(place + 1, depth)
        return _scalar(self._text, place)

    def _object(self, place: int, depth: int) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {"": self._line_of(place)}
        place = self._after_space(place)
        while self._text[place : place + 1] != "}":
            key, place = self.value(place, depth + 1)
            place = self._after_space(place)
            if not isinstance(key, Located) or self._text[place : place + 1] != ":":
                raise JSONDecodeError("a name and a colon belong here", self._text, place)
            found[key.text], place = self.value(place + 1, depth + 1)
            place = self._separator(place, "}")
        return found, place + 1

    def _array(self, place: int, depth: int) -> tuple[list[Any], int]:
        found: list[Any] = []
        place = self._after_space(place)
        while self._text[place : place + 1] != "]":
            value, place = self.value(place, depth + 1)
            found.append(value)
            place = self._separator(place, "]")
        return found, place + 1

    def _separator(self, place: int, end: str) -> int:
        place = self._after_space(place)
        sign = self._text[place : place + 1]
        if sign == ",":
            return self._after_space(place + 1)
        if sign != end:
            raise JSONDecodeError(f"a comma or {end} belongs here", self._text, place)
        return place

    def _after_space(self, place: int) -> int:
        while self._text[place : place + 1] in _SPACE and place < len(self._text):
            place += 1
        return place

    def _line_of(self, place: int) -> int:
        self._line += self._text.count("\n", self._at, place)
        self._at = max(self._at, place)
        return self._line


def located(text: str) -> list[Source | int]:
    """The code cells of a notebook in order; a number is the line of a cell without a source that is text.

    Cells that are no code give an empty source, so that the numbering is the notebook's.

    Raises
    ------
    ValueError
        It is no JSON, or no notebook.
    """
    book, _ = _Reader(text).value(0)
    cells = book.get("cells") if isinstance(book, dict) else None
    if not isinstance(cells, list):
        raise ValueError("it has no list of cells")
    return [_source(cell) for cell in cells]


def _source(cell: Any) -> Source | int:
    if not isinstance(cell, dict):
        return 1
    kind, source = cell.get("cell_type"), cell.get("source", [])
    if not isinstance(kind, Located) or kind.text != "code":
        return Source([])
    pieces = [source] if isinstance(source, Located) else source
    if not isinstance(pieces, list) or not all(isinstance(each, Located) for each in pieces):
        return int(cell[""])
    return Source(pieces)
