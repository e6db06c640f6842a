"""The lines of a shell script put together to whole commands: open quotes, continued lines, no comments."""

from __future__ import annotations

_WORD_ENDS = " \t;|&()"


def whole(lines: list[str], begin: int) -> tuple[str, int] | None:
    """The text of the command that begins on a line, without comments, and the line after it.

    None where a quote is never closed. Each character is looked at once.
    """
    kept: list[str] = []
    quote = ""
    for number in range(begin, len(lines)):
        line, quote, goes_on = _line(lines[number], quote)
        kept.append(line)
        if not quote and not goes_on:
            return "".join(kept), number + 1
        kept.append("" if goes_on else "\n")
    return None if quote else ("".join(kept), len(lines))


def _line(line: str, quote: str) -> tuple[str, str, bool]:
    """A line without comment and last backslash, the quote open after it, whether the next belongs to it."""
    place = 0
    while place < len(line):
        sign = line[place]
        if sign == "\\" and quote != "'":
            if place == len(line) - 1:
                return line[:-1], quote, True
            place += 1
        elif quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign == "#" and (place == 0 or line[place - 1] in _WORD_ENDS):
            return line[:place], "", False
        place += 1
    return line, quote, False
