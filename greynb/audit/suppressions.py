"""Comments that say to ignore a finding: ``# greynb: ignore[raw-connect]``, in SQL ``-- greynb: ignore``."""

from __future__ import annotations

from collections.abc import Mapping

from greynb.audit.findings import Place

_SIGN = "greynb: ignore"


def suppressions(text: str) -> dict[int, frozenset[str]]:
    """The rules to ignore by line; an empty set stands for all.

    A comment counts for its line; one that stands alone, for the next line too.
    """
    if _SIGN not in text:
        return {}
    found: dict[int, frozenset[str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        before, sign, after = line.partition(_SIGN)
        if sign:
            named, _, _ = after.removeprefix("[").partition("]") if after.startswith("[") else ("", "", "")
            rules = frozenset(each.strip() for each in named.split(",") if each.strip())
            found[number] = rules
            if before.lstrip(' \t"').startswith(("#", "--")):
                found[number + 1] = rules
    return found


def is_suppressed(rule: str, place: Place, ignored: Mapping[int, frozenset[str]]) -> bool:
    """Whether a line of the place says to ignore the rule."""
    return any(
        line in ignored and (not ignored[line] or rule in ignored[line])
        for line in range(place.line, place.last_line + 1)
    )
