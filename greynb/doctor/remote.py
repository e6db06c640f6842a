"""What is seen of the servers that serve roles: each is asked once in an examination."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from greynb.errors import GreynbError
from greynb.routing import Role, Route

if TYPE_CHECKING:
    from greynb.lake.status import LakeStatus
    from greynb.postgres.health import Health


class Remote:
    """The servers of one examination.

    Parameters
    ----------
    routes
        Of the roles that lead to servers.
    """

    def __init__(self, routes: Mapping[Role, Route]) -> None:
        self._routes = routes

    @cached_property
    def healths(self) -> dict[Role, Health | GreynbError]:
        """What each PostgreSQL says of itself, or why it does not."""
        from greynb.postgres.health import health

        found: dict[Role, Health | GreynbError] = {}
        for role, route in self._routes.items():
            if route.postgres is not None:
                try:
                    found[role] = health(route.postgres)
                except GreynbError as error:
                    found[role] = error
        return found

    @cached_property
    def lake(self) -> LakeStatus | GreynbError | None:
        """What is seen of the DuckLake that holds analytics, or why nothing is; None where none holds it."""
        route = self._routes.get("analytics")
        if route is None or route.lake is None:
            return None
        from greynb.lake.status import look_at

        try:
            return look_at(route.lake)
        except GreynbError as error:
            return error
