"""A document: a title, blocks in order, and the queries behind them, numbered."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from greynb.report.document.blocks import Block, Chart, Heading, Table, Tiles

if TYPE_CHECKING:
    from greynb.report.recording import Source

_DEEPEST = 4


def now() -> dt.datetime:
    """The time, with the zone of this machine."""
    return dt.datetime.now().astimezone()


@dataclass(frozen=True, slots=True)
class Document:
    """What a renderer turns into a file.

    Attributes
    ----------
    title
        The heading above everything.
    blocks
        In reading order. Their headings never skip a level, whatever the author gave.
    subtitle
        A line under the title, such as the parameters of a notebook.
    origin
        What it was made from, such as ``"report.ipynb"``; may be empty.
    made
        When, aware.
    silent
        Sources of results that no block shows but that the text may rest on; they stand in the appendix.
    """

    title: str
    blocks: tuple[Block, ...]
    subtitle: str = ""
    origin: str = ""
    made: dt.datetime = field(default_factory=now)
    silent: tuple[Source, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", tuple(_in_order(self.blocks)))

    @property
    def sources(self) -> tuple[Source, ...]:
        """Every result that went in, once, in the order in which it is first used."""
        shown = (
            source
            for block in self.blocks
            if isinstance(block, Table | Chart | Tiles)
            for source in block.sources
        )
        found: dict[tuple[str, str], Source] = {}
        for source in (*shown, *self.silent):
            found.setdefault((key(source), source.hash), source)
        return tuple(found.values())

    @property
    def numbers(self) -> dict[str, int]:
        """The number of each query by its `key`, from 1, as in ``SQL 3``."""
        keys = dict.fromkeys(key(source) for source in self.sources if source.kind != "unknown")
        return {each: number for number, each in enumerate(keys, start=1)}


def key(source: Source) -> str:
    """What makes two results those of one query: all that went into it, and nothing that came out."""
    parts = (source.kind, source.sql, source.parameters, source.setup, source.role, source.file)
    return json.dumps([*parts, source.version, asked(source)], sort_keys=True, default=str)


def asked(source: Source) -> dict[str, Any]:
    """The arguments of an evaluation; which of its frames was taken is none of them."""
    return {name: value for name, value in source.arguments.items() if name != "part"}


def origins(sources: Iterable[Source], numbers: Mapping[str, int]) -> list[tuple[str, int]]:
    """Say for the small print of a block where its data come from, each query once, with its number."""
    found: dict[int, str] = {}
    for source in sources:
        if source.kind != "unknown":
            reworked = " · reworked since" if source.derived else ""
            found.setdefault(numbers[key(source)], where(source) + reworked)
    return [(text, number) for number, text in found.items()]


def where(source: Source) -> str:
    """Say where a source was read: ``analytics · season.db @ gen-000007 · 26 Nov 2026, 14:02``."""
    place = f"{source.file} @ {source.version}" if source.version else source.file
    return " · ".join(part for part in (source.role, place, moment(source.time)) if part)


def moment(time: str | dt.datetime) -> str:
    """Write a time for people, in this machine's zone: ``26 Nov 2026, 14:02``."""
    local = (dt.datetime.fromisoformat(time) if isinstance(time, str) else time).astimezone()
    return f"{local.day} {local:%b %Y, %H:%M}"


def _in_order(blocks: Iterable[Block]) -> Iterable[Block]:
    above = 1
    for block in blocks:
        if isinstance(block, Heading):
            above = min(max(block.level, 2), above + 1, _DEEPEST)
            yield replace(block, level=above)
        else:
            yield block
