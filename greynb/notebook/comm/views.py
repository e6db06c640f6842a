"""What the status item and its panel show, as plain values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greynb.notebook import running

if TYPE_CHECKING:
    from greynb.rolestatus import RoleStatus
    from greynb.routing import Route


def status(_request: Mapping[str, Any]) -> dict[str, Any]:
    """What serves the roles, the version that cells read, its lag and mirror, and what runs now.

    Only files are looked at, so that it can be asked at any time.
    """
    from greynb import connections, overview
    from greynb.routing import Settings

    settings = Settings.current()
    found, task = overview.status(settings), running.now()
    pinned = connections.pinned(settings.route("analytics"))
    return {
        "roles": [_role(each) for each in (found.analytics, found.staging)],
        "mode": found.analytics.mode,
        "version": found.analytics.version,
        "pinned": pinned.id if pinned else None,
        "lag": str(found.lag) if found.analytics.exists else "",
        "behind": found.lag.seconds,
        "mirror": str(found.mirror) if found.mirror else "",
        "mirror_state": found.mirror.state if found.mirror else "none",
        "running": task.as_dict() if task else None,
    }


def _role(role: RoleStatus) -> dict[str, Any]:
    path = Path(role.path)
    return {
        "role": role.role,
        "name": path.name,
        "folder": str(path.parent),
        "chosen_by": role.chosen_by,
        "exists": role.exists,
        "state": role.state,
        "at_work": [str(each) for each in role.locks if each.pid != os.getpid()],
    }


def tables(route: Route) -> list[dict[str, Any]]:
    """The tables of the version that cells read: name, kind, rows where they are counted, columns."""
    from greynb.connections import analytics_session
    from greynb.errors import GreynbError
    from greynb.locating import located

    try:
        session = analytics_session(route)
        session.refresh()
        reports = session.catalog.tables()
    except GreynbError as error:
        raise located(error, route) from error.__cause__
    return [
        {
            "name": each.name,
            "kind": each.kind,
            "rows": each.rows,
            "columns": each.columns,
            "problem": each.problem or "",
        }
        for each in reports
    ]


def columns(route: Route, table: str) -> list[dict[str, Any]]:
    """The columns of a table: name, type declared and chosen, NULLs; the table is counted if need be."""
    from greynb.connections import analytics_session
    from greynb.errors import UsageError

    session = analytics_session(route)
    session.refresh()
    if table not in session.catalog:
        raise UsageError(f"analytics has no table {table!r} any more", hint="refresh the panel")
    return [
        {
            "name": each.column,
            "declared": each.declared,
            "type": each.type,
            "nulls": each.nulls,
            "widened": each.widened,
        }
        for each in session.catalog.columns(table)
    ]
