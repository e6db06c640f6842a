"""Checks of a PostgreSQL that serves a role."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from greynb.doctor.findings import Check, Evidence
from greynb.doctor.patient import Patient
from greynb.errors import GreynbError
from greynb.postgres.health import Health
from greynb.routing import Role, Route

LONG: Final = 300.0
"""Seconds from which a transaction that does nothing is in the way."""
_SHOWN: Final = 5


def unreachable(patient: Patient) -> Iterator[Evidence]:
    """A server that does not answer, or refuses."""
    for role, route in patient.servers.items():
        trouble = patient.remote.healths.get(role)
        if isinstance(trouble, GreynbError):
            yield Evidence(
                (f"{route.place}, chosen by {route.chosen_by}", trouble.message),
                trouble.hint or "start the server, or name another one",
                role,
            )


def open_transaction(patient: Patient) -> Iterator[Evidence]:
    """A transaction that was begun and forgotten."""
    for role, _, health in _healthy(patient):
        if health.idle >= LONG:
            yield Evidence(
                (f"session {health.idle_pid} has one open for {health.idle:,.0f} s",),
                f"commit there, or: SELECT pg_terminate_backend({health.idle_pid});",
                role,
            )


def in_clear(patient: Patient) -> Iterator[Evidence]:
    """A connection over the network that everybody on the way can read."""
    for role, route, health in _healthy(patient):
        if not health.encrypted and not health.local:
            yield Evidence(
                (f"{route.place}, chosen by {route.chosen_by}, is not encrypted",),
                "add ?sslmode=require to the address, and turn on ssl in postgresql.conf",
                role,
            )


def may_write(patient: Patient) -> Iterator[Evidence]:
    """Analytics read by a user who could write."""
    for role, route, health in _healthy(patient):
        if role == "analytics" and not route.shared and health.writable:
            yield Evidence(
                (f"{health.user} may write to {_listed(health.writable)}",),
                "CREATE ROLE reader LOGIN; GRANT pg_read_all_data TO reader;    # and name it in the address",
                role,
            )


def without_key(patient: Patient) -> Iterator[Evidence]:
    """Tables of staging that are read whole whenever they changed."""
    for role, _, health in _healthy(patient):
        if role == "staging" and health.keyless:
            yield Evidence(
                (f"no primary key: {_listed(health.keyless)}",),
                "ALTER TABLE … ADD PRIMARY KEY (…);",
                role,
            )


def _healthy(patient: Patient) -> Iterator[tuple[Role, Route, Health]]:
    for role, route in patient.servers.items():
        health = patient.remote.healths.get(role)
        if isinstance(health, Health):
            yield role, route, health


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


SERVER_CHECKS: Final[tuple[Check, ...]] = (
    Check(
        "server-unreachable",
        "error",
        "the server does not answer, or refuses",
        "Cells and scripts of this role stop.",
        unreachable,
    ),
    Check(
        "open-transaction",
        "warning",
        "a transaction was begun on the server and does nothing",
        "Its locks keep writers waiting, and the server cannot clear away old rows.",
        open_transaction,
    ),
    Check(
        "not-encrypted",
        "warning",
        "the connection to the server is not encrypted",
        "Whoever is on the way reads the rows.",
        in_clear,
    ),
    Check(
        "server-writable",
        "info",
        "analytics is read by a user who may write",
        "Cells cannot write all the same; other programs with this address can.",
        may_write,
    ),
    Check(
        "table-without-key",
        "info",
        "tables on the server have no primary key",
        "A publication reads them whole whenever they changed.",
        without_key,
    ),
)
