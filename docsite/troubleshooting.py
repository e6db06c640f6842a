"""The pages about messages: their headings are the texts of errors, as they are raised."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from docsite import ROOT
from docsite.raised import Raised, raised
from greynb.troubleshooting import Message, pattern_of, read

FOLDER = "troubleshooting/"


@cache
def all_raised() -> list[Raised]:
    """Give every error of greynb's source."""
    return raised(ROOT / "greynb")


def messages() -> list[Message]:
    """Give every heading of the pages."""
    return [each for path in sorted((ROOT / "docs" / FOLDER).glob("*.md")) for each in read(path)]


def without_entry() -> list[Raised]:
    """Give the errors whose text is no heading."""
    patterns = [pattern_of(each.text) for each in messages()]
    return [each for each in all_raised() if not any(one.fullmatch(each.text) for one in patterns)]


def without_error() -> list[Message]:
    """Give the headings that no error's text fits."""
    return [each for each in messages() if not list(_sources(each.text))]


def with_places(markdown: str) -> str:
    """Write under each message which class it is of and where it is raised."""
    return re.sub(r"^### `(.+)`$", lambda found: found[0] + _places(found[1]), markdown, flags=re.MULTILINE)


def _places(text: str) -> str:
    found = list(_sources(text))
    errors = sorted({f"[`{each.error}`](../reference/errors.md#greynb.{each.error})" for each in found})
    paths = sorted({f"`{each.path.as_posix()}`" for each in found})
    return f"\n\n{', '.join(errors)} · {', '.join(paths)}\n{{ .raised }}\n"


def _sources(text: str) -> Iterator[Raised]:
    pattern = pattern_of(text)
    return (each for each in all_raised() if pattern.fullmatch(each.text))
