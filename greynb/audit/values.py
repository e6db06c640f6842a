"""What an expression of a script can be, as far as reading it tells: texts, variables, connections.

Nothing here is run. A `Value` is an approximation: `Unknown` wherever the reading ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from greynb.audit.findings import Place
from greynb.routing.route import Role


@dataclass(frozen=True, slots=True)
class Unknown:
    """Anything; `code` is how it is written, for messages."""

    code: str = "…"


NOTHING = Unknown("None")


@dataclass(frozen=True, slots=True)
class Number:
    """A number that is not known; it can be spliced into SQL without harm."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Parameter marks such as ``?, ?, ?``, or a name that was quoted by a function for it."""


@dataclass(frozen=True, slots=True)
class Temporary:
    """A file in a temporary folder, or a database in memory: nobody's but the script's."""


@dataclass(frozen=True, slots=True)
class Text:
    """A string or path: known pieces, and values between them that are not.

    Attributes
    ----------
    parts
        Pieces in order; neighbouring known pieces are joined.
    place
        Where it is put together.
    """

    parts: tuple[str | Value, ...]
    place: Place

    @property
    def known(self) -> str | None:
        """The string, where every piece of it is known."""
        return "".join(map(str, self.parts)) if all(isinstance(part, str) for part in self.parts) else None


@dataclass(frozen=True, slots=True)
class Env:
    """A variable of the environment.

    Attributes
    ----------
    name
        Its name.
    place
        Where it is read.
    keeps_empty
        Whether an empty value counts as set (``get(name, default)``).
    required
        Whether it is an error that it is not set (``os.environ[name]``).
    """

    name: str
    place: Place
    keeps_empty: bool = False
    required: bool = False


@dataclass(frozen=True, slots=True)
class First:
    """The first of several that is set (``a or b``, ``if not a: a = b``)."""

    options: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of several; which, the reading does not tell."""

    options: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list or tuple; `repeated` where it holds any number of the items it shows."""

    items: tuple[Value, ...]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A dictionary whose entries are written out; iterating it gives its keys."""

    keys: tuple[Value, ...]
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """The environment itself, or a dictionary made from it or from a ``.env`` file."""


@dataclass(frozen=True, slots=True)
class Helper:
    """The path of a role, as greynb's own helper gives it."""

    role: Role
    place: Place


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection or cursor.

    Attributes
    ----------
    place
        Where it is opened.
    readonly
        Whether it can only read.
    role
        The role that it is opened for, None where that cannot be told.
    how
        What opens it, in words.
    """

    place: Place
    readonly: bool
    role: Role | None
    how: str


Value: TypeAlias = (
    Unknown
    | Number
    | Marks
    | Temporary
    | Text
    | Env
    | First
    | OneOf
    | Items
    | Table
    | Mapping
    | Helper
    | Connection
)

_MOST = 12  # alternatives of one value that are looked at


def joined(parts: list[str | Value], place: Place) -> Text:
    """Put a text together; texts among the parts become part of it."""
    flat: list[str | Value] = []
    for part in parts:
        pieces = part.parts if isinstance(part, Text) else (part,)
        for piece in pieces:
            if isinstance(piece, str) and flat and isinstance(flat[-1], str):
                flat[-1] += piece
            else:
                flat.append(piece)
    return Text(tuple(flat), place)


def first(options: list[Value]) -> Value:
    """The first that is set, flattened."""
    return _grouped(First, options)


def one_of(options: list[Value]) -> Value:
    """One of several, flattened; the same value twice is one."""
    return _grouped(OneOf, options)


def _grouped(kind: type[First] | type[OneOf], options: list[Value]) -> Value:
    flat: list[Value] = []
    for option in options:
        for each in option.options if isinstance(option, kind) else (option,):
            if each not in flat:
                flat.append(each)
    return flat[0] if len(flat) == 1 else kind(tuple(flat[:_MOST])) if flat else Unknown()


def alternatives(value: Value) -> list[Value]:
    """Every value that it can be, choices opened at the top only."""
    if isinstance(value, First | OneOf):
        return [each for option in value.options for each in alternatives(option)]
    return [value]


def orders(value: Value) -> list[tuple[Value, ...]]:
    """The orders in which variables and defaults are tried: one per alternative, at most a few."""
    if isinstance(value, OneOf):
        return [order for option in value.options for order in orders(option)][:_MOST]
    if isinstance(value, First):
        found: list[tuple[Value, ...]] = [()]
        for option in value.options:
            found = [(*before, *after) for before in found for after in orders(option)][:_MOST]
        return found
    return [(value,)]


def reads(value: Value) -> Iterator[Env]:
    """Every variable of the environment that it depends on."""
    if isinstance(value, Env):
        yield value
    elif isinstance(value, First | OneOf):
        for option in value.options:
            yield from reads(option)
    elif isinstance(value, Text):
        for part in value.parts:
            if not isinstance(part, str):
                yield from reads(part)
