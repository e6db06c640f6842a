"""What may be asked of a publication."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from greynb.errors import UsageError
from greynb.publish.result import Mode

if TYPE_CHECKING:
    from greynb.publish.etl import Plan


def check_request(mode: str, keep: int, plan: Plan | None) -> None:
    """Refuse what no publication can do.

    Raises
    ------
    UsageError
        No such mode, no plan for ``"etl"``, or fewer than no versions to keep.
    """
    if mode not in get_args(Mode):
        raise UsageError(f"there is no mode {mode!r}", hint=f"modes: {', '.join(get_args(Mode))}")
    if mode == "etl" and plan is None:
        raise UsageError("mode etl needs a plan", hint="write a greynb.toml, or use another mode")
    if keep < 0:
        raise UsageError("the number of old versions to keep cannot be negative")
