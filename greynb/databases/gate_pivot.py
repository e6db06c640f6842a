"""PIVOT without IN: DuckDB makes an enum of the values first, so its parser shows no tree of the statement.

The check looks at a variant that has ``IN (NULL)`` behind every value column without one. The variant holds
all the words of the statement, in their order, so whatever the statement reads or calls is in its tree. As a
second fence, the words are searched for names of functions that would be refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from greynb.databases.gate_functions import READS_FILES, REFUSED_PREFIXES, RUNS_SQL
from greynb.databases.gate_text import Word, words
from greynb.errors import WriteRefused

_ENDS: Final = frozenset(
    b"USING GROUP ORDER LIMIT OFFSET UNION EXCEPT INTERSECT FROM SELECT WHERE SAMPLE".split()
)


def with_values(sql: str) -> str:
    """The variant of a statement in which every PIVOT names its values."""
    found = words(sql)
    _refuse_hidden(found)
    data = sql.encode()
    ends = [place for start in _pivots(found) for place in _places(found, start)]
    for place in sorted({len(data) if place is None else place for place in ends}, reverse=True):
        data = data[:place] + b"\n IN (NULL) " + data[place:]
    return data.decode()


def _refuse_hidden(found: Sequence[Word]) -> None:
    for word, following in pairwise(found):
        name = word.text.decode().strip('"').lower()
        hidden = name in READS_FILES or name in RUNS_SQL or name.startswith(REFUSED_PREFIXES)
        if hidden and following.text == b"(":
            raise WriteRefused(f"{name}() is not allowed in a PIVOT")


def _pivots(found: Sequence[Word]) -> Iterator[int]:
    return (
        number for number, word in enumerate(found) if word.bare and word.text in (b"PIVOT", b"PIVOT_WIDER")
    )


def _places(found: Sequence[Word], pivot: int) -> Iterator[int | None]:
    """Where ``IN (…)`` is missing: at the end of each element of the list after ON; None: of the text."""
    depth = found[pivot].depth
    inside = _clause(found, pivot + 1, depth)
    ons = [number for number in inside if found[number].text == b"ON" and found[number].depth == depth]
    if not ons:
        return
    has_values, last = False, ons[-1]
    for number in [each for each in inside if each > ons[-1]]:
        word = found[number]
        if word.depth == depth and word.text == b",":
            if not has_values:
                yield word.start
            has_values = False
        elif word.depth == depth and word.text == b"IN":
            has_values = True
        last = number
    if not has_values:
        yield found[last + 1].start if last + 1 < len(found) else None


def _clause(found: Sequence[Word], first: int, depth: int) -> list[int]:
    inside = []
    for number in range(first, len(found)):
        word = found[number]
        if word.depth < depth or (word.depth == depth and word.bare and word.text in _ENDS):
            break
        inside.append(number)
    return inside
