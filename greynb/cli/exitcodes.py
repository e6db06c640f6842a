"""The exit codes of all commands, and what each one means."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """How a command ended; the meaning stands beside each.

    From 128 on, 128 and the number of a signal, as shells have it (POSIX, "Exit Status for Commands").
    """

    meaning: str

    def __new__(cls, value: int, meaning: str) -> Exit:
        """A number that carries its meaning."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    OK = 0, "it worked, and nothing was found"
    REFUSED = 1, "greynb refused or could not; standard error says why"
    USAGE = 2, "a wrong call: no such command or option, or a value that it does not take"
    LAG = 3, "`status --max-lag`: analytics may be further behind"
    DIFFERS = 4, "`verify`: something differs"
    FOUND = 5, "`doctor`: an error; `audit`: a finding; `guard`: a damaged database"
    INTERRUPTED = 130, "Ctrl-C"
    PIPE_CLOSED = 141, "whoever read the output closed it, as `head` does"


def listed() -> str:
    """All of them as lines of the help."""
    return "\n".join(f"  {code:<3} {code.meaning}" for code in Exit)
