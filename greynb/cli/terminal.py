"""What the terminal can show: whether output is coloured, and how.

No other module writes an escape sequence for a colour. Lower layers give plain text; `painted` colours it
by what stands at the start of its lines, where a terminal wants that.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from typing import Final, TextIO

_RESET: Final = "\x1b[0m"
_STYLES: Final = {
    "bold": "\x1b[1m",
    "faint": "\x1b[2m",
    "bad": "\x1b[1;31m",
    "doubtful": "\x1b[33m",
    "good": "\x1b[32m",
}
_RULES: Final = tuple(
    (re.compile(pattern, re.M), _STYLES[style])
    for pattern, style in (
        (r"^greynb:", "bad"),
        (r"(?:^|(?<=[: ] ))(?:error(?=:)|differs\b)", "bad"),
        (r"(?:^|(?<=: ))warning(?=:)", "doubtful"),
        (r"(?<= )(?:not there yet|mirror (?!fresh)\w+|lag unknown|behind staging)", "doubtful"),
        (r"(?:^|(?<=[: ] ))(?:holds\b|equal to staging)", "good"),
        (r"^(?:staging|analytics)(?=  )", "bold"),
        (r"^ +(?:on|do|why):", "faint"),
        (r"^  # .*", "faint"),
        (r"^(?:usage|commands|options|positional arguments|examples|exit codes):", "bold"),
    )
)


def in_colour(stream: TextIO, environ: Mapping[str, str] | None = None) -> bool:
    """Whether text for a stream is coloured.

    Parameters
    ----------
    stream
        Where it goes.
    environ
        Default: the process's environment. ``NO_COLOR`` (no-color.org) comes first, then ``FORCE_COLOR``
        (force-color.org), then ``TERM=dumb``, as in Python's own programs; an empty value counts as unset.
    """
    environ = os.environ if environ is None else environ
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    # The consoles of Windows show escape sequences only to programs that switched that on.
    return is_terminal(stream) and environ.get("TERM") != "dumb" and sys.platform != "win32"


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody looks at a stream; it is None in a process that has none, and may be closed."""
    return stream is not None and not stream.closed and stream.isatty()


def painted(text: str, stream: TextIO) -> str:
    """The text with its marks coloured, or as it is where the stream takes no colours."""
    if in_colour(stream):
        for pattern, style in _RULES:
            text = pattern.sub(lambda found, style=style: f"{style}{found[0]}{_RESET}", text)  # type: ignore[misc]
    return text


def rewrites(stream: TextIO | None) -> bool:
    """Whether a line that was written can be written over."""
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def completing(environ: Mapping[str, str] | None = None) -> bool:
    """Whether the shell asks for completions instead of running a command."""
    return "_ARGCOMPLETE" in (os.environ if environ is None else environ)
