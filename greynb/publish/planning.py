"""Finding the plan that mode etl cannot do without."""

from __future__ import annotations

from pathlib import Path

from greynb.errors import UsageError
from greynb.publish.etl import Plan, load_plan


def required_plan(folder: Path) -> Plan:
    """The plan of a folder or of one above it.

    Raises
    ------
    UsageError
        There is none.
    PublishError
        It cannot be read.
    """
    plan = load_plan(folder)
    if plan is None:
        raise UsageError(
            f"no greynb.toml and no [tool.greynb] in {folder.absolute()} or above it",
            hint="write one, or publish with --mode incremental",
        )
    return plan
