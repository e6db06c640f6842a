"""Checks of roles that a server serves: whether it answers. What is in it is for its own tools."""

from __future__ import annotations

from collections.abc import Iterator

from greynb.doctor.findings import Evidence
from greynb.doctor.patient import Patient
from greynb.errors import GreynbError

_TOOLS = "pg_isready says whether a server listens there"


def unreachable(patient: Patient) -> Iterator[Evidence]:
    """A PostgreSQL that refuses a connection, or does not answer within seconds."""
    from greynb.postgres.connecting import connect

    for route in patient.served:
        if route.server is None or route.server.kind != "postgresql":
            continue
        try:
            connect(route.server).close()
        except GreynbError as error:
            seen = (f"{route.server.name}, chosen by {route.chosen_by}", error.message)
            yield Evidence(seen, error.hint or _TOOLS, route.role)
