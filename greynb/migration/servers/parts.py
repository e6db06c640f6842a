"""What is made of a file's schema besides the tables, and what is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Left:
    """Something that is not carried over.

    Attributes
    ----------
    what
        For people.
    why
        The reason.
    """

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(frozen=True, slots=True)
class Extra:
    """Something that a table can do without.

    Attributes
    ----------
    what
        For people.
    sql
        The statement.
    kind
        ``"key"``: it must succeed, as rows could not be told apart without it. ``"view"``: its rows have to
        be the same in both. ``"other"``.
    name
        The view's.
    """

    what: str
    sql: str
    kind: Literal["key", "view", "other"] = "other"
    name: str = ""
