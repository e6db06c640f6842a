"""The pages about messages: their headings are the texts of errors, as they are raised."""

from __future__ import annotations

import re
from functools import cache

import greynb
from docsite import ROOT
from docsite.raised import Raised, raised
from greynb.troubleshooting import HEADING, Message, closest, read

FOLDER = "troubleshooting/"
_TOGETHER = re.compile(r"(?:^### .+\n)+", re.MULTILINE)  # headings that share what is said below them


@cache
def entries() -> dict[Message, list[Raised]]:
    """Give every heading of the pages, with the errors whose text fits it more closely than any other."""
    found: dict[Message, list[Raised]] = {message: [] for message in messages()}
    for each in all_raised():
        if message := closest(found, each.text):
            found[message].append(each)
    return found


@cache
def all_raised() -> list[Raised]:
    """Give every error of greynb's source."""
    return raised(ROOT / "greynb")


def messages() -> list[Message]:
    """Give every heading of the pages."""
    return [each for path in sorted((ROOT / "docs" / FOLDER).glob("*.md")) for each in read(path)]


def without_entry() -> list[Raised]:
    """Give the errors whose text fits no heading."""
    placed = {each for found in entries().values() for each in found}
    return [each for each in all_raised() if each not in placed]


def without_error() -> list[Message]:
    """Give the headings that say what no error says."""
    return [message for message, found in entries().items() if not found]


def with_places(markdown: str) -> str:
    """Write under messages that stand together which class they are of and where they are raised."""
    places = {message.text: found for message, found in entries().items()}

    def named(headings: re.Match[str]) -> str:
        texts = [found[2] for found in HEADING.finditer(headings[0])]
        return headings[0] + _places([each for text in texts for each in places.get(text, [])])

    return _TOGETHER.sub(named, markdown)


def _places(found: list[Raised]) -> str:
    errors = sorted({_class(each.error) for each in found})
    paths = sorted({f"`{each.path.as_posix()}`" for each in found})
    return f"\n\n{', '.join(errors)} · {', '.join(paths)}\n{{ .raised }}\n"


def _class(name: str) -> str:
    """Link a class of errors to the reference, which has the public ones."""
    return f"[`{name}`](../reference/errors.md#greynb.{name})" if name in greynb.__all__ else f"`{name}`"
