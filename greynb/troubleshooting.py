"""What a message means and what to do, from the documentation's pages about messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from greynb.errors import UsageError

GAP = "…"  # in a heading: what differs from time to time

# A wheel carries the pages inside the package; in a checkout they stand beside it.
_FOLDERS = (
    Path(__file__).parent / "messages",
    Path(__file__).parents[1] / "docs" / "troubleshooting",
)
HEADING = re.compile(r"^### (`+) ?(.+?) ?\1$", re.MULTILINE)


@dataclass(frozen=True, slots=True, repr=False)
class Message:
    """A message of an error, and what the documentation says about it.

    Attributes
    ----------
    text
        The message, with ``…`` for each part that differs from time to time.
    meaning
        Why it happens and what to do: Markdown, one paragraph or more.
    page
        The name of the page that it stands on, without suffix.
    """

    text: str
    meaning: str
    page: str

    def __str__(self) -> str:
        return f"{self.text}\n\n{self.meaning}"

    __repr__ = __str__  # how a notebook shows it


def explain(message: str) -> Message:
    """Find what the documentation says about a message.

    Parameters
    ----------
    message
        The first line of an error, with or without the name of its class before it.

    Raises
    ------
    UsageError
        No message of greynb reads so.
    """
    lines = message.strip().splitlines() or [""]
    texts = [re.sub(r"^[A-Z]\w+: ", "", lines[0]), lines[0]]
    known = list(_messages())
    found = next(filter(None, (closest(known, text) for text in texts)), None)
    if found is None:
        raise UsageError(
            f"no message of greynb reads {lines[0]!r}",
            hint="give the first line of the error, in quotes; texts of DuckDB and SQLite are theirs",
        )
    return found


def closest(messages: Iterable[Message], text: str) -> Message | None:
    """Give the message that a text fits, and of several the one with the fewest gaps to fill."""
    fitting = [each for each in messages if pattern_of(each.text).fullmatch(text)]
    return max(
        fitting, key=lambda each: (len(each.text.replace(GAP, "")), -each.text.count(GAP)), default=None
    )


@cache
def pattern_of(text: str) -> re.Pattern[str]:
    """Make of a message with gaps what its instances match; at its end, one may also suggest a name."""
    fixed = (re.escape(part) for part in text.split(GAP))
    return re.compile(".*".join(fixed) + r"(; did you mean .+\?)?", re.DOTALL)


def read(page: Path) -> Iterator[Message]:
    """Read the messages of a page; headings that follow each other share what is said below them."""
    texts: list[str] = []
    lines: list[str] = []
    for line in [*page.read_text("utf-8").splitlines(), "## "]:
        heading = HEADING.match(line)
        if heading is None and not line.startswith("## "):
            lines.append(line)
            continue
        if meaning := "\n".join(lines).strip():
            yield from (Message(text, meaning, page.stem) for text in texts)
            texts = []
        texts = [*texts, heading[2]] if heading else []
        lines = []


def _messages() -> Iterator[Message]:
    folder = next(each for each in _FOLDERS if each.is_dir())
    for page in sorted(folder.glob("*.md")):
        yield from read(page)
