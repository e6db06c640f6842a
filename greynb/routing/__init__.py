"""Routing: from environment variables and ``.env`` files to the file or server that serves each role."""

from __future__ import annotations

from greynb.routing.route import Mode, Role, Route, Source
from greynb.routing.scripts import ROLE_PATTERNS, role_of
from greynb.routing.servers import Server
from greynb.routing.settings import Settings

__all__ = ["ROLE_PATTERNS", "Mode", "Role", "Route", "Server", "Settings", "Source", "role_of"]
