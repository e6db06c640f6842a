"""Which role a script belongs to, by its name: the categories of the collector's routing document.

The first pattern that matches decides, and staging comes first: ``train_report.py`` trains, so it
writes, and what only reads works on staging too. A name that no pattern knows is an error, because a
wrong guess would hand out write access.
"""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import PureWindowsPath

from greynb.errors import RoutingError
from greynb.routing.route import Role

# Shell patterns of a file's name without its suffix, or of "folder/name". `x_*` covers `x` alone, too.
ROLE_PATTERNS: tuple[tuple[str, Role], ...] = (
    ("ingest_*", "staging"),
    ("train_*", "staging"),
    ("register_*", "staging"),
    ("tgr_backfill_*", "staging"),
    ("verify_and_patch_schema", "staging"),
    ("evaluate_*", "analytics"),
    ("evaluation_*", "analytics"),
    ("predict_*", "analytics"),
    ("analyze_*", "analytics"),
    ("analyse_*", "analytics"),
    ("analysis_*", "analytics"),
    ("*_analysis", "analytics"),
    ("compare_*", "analytics"),
    ("report_*", "analytics"),
    ("*_report", "analytics"),
    ("*_reports", "analytics"),
    ("generate_report*", "analytics"),
    ("summar*", "analytics"),
    ("dev/check_*", "analytics"),
)


def role_of(path: str | os.PathLike[str]) -> Role:
    """Say which role a script or notebook belongs to.

    Parameters
    ----------
    path
        Its path, with either kind of slash; the suffix does not matter, nor case, nor ``-`` for ``_``.

    Raises
    ------
    RoutingError
        Its name fits no pattern.
    """
    # The Windows flavour splits at both kinds of slash, on every system.
    parts = PureWindowsPath(os.fspath(path))
    name = parts.stem.lower().replace("-", "_")
    qualified = f"{parts.parent.name.lower()}/{name}"
    for pattern, role in ROLE_PATTERNS:
        subject = qualified if "/" in pattern else name
        if fnmatchcase(subject, pattern) or fnmatchcase(f"{subject}_", pattern):
            return role
    raise RoutingError(
        f"the name {parts.name} does not say whether the script writes",
        hint="ask for a role by name, or name the script after its work: " + _described(),
    )


def _described() -> str:
    return "; ".join(
        ", ".join(pattern for pattern, of in ROLE_PATTERNS if of == role) + f" → {role}"
        for role in ("staging", "analytics")
    )
