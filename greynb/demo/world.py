"""All the arrays of a season together, before they become rows."""

from __future__ import annotations

from dataclasses import dataclass

from greynb.demo.card import Card, Floats
from greynb.demo.market import Market
from greynb.demo.outcome import Outcome
from greynb.demo.runners import Dogs, Field


@dataclass(frozen=True, slots=True)
class World:
    """What happened, what was believed, and (in `Field`) what was true."""

    card: Card
    dogs: Dogs
    field: Field
    outcome: Outcome
    market: Market
    predicted: Floats
