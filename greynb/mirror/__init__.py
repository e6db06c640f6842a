"""The columnar mirror: a DuckDB file with the same rows and types as one version of the analytics file.

A mirror is built beside the version it belongs to and never changed afterwards, so it cannot be stale: a
published version has its own, and one of a file that was made otherwise is used only while that file is the
one it was built from.
"""

from __future__ import annotations

from greynb.mirror.building import build
from greynb.mirror.refreshing import Changed, refresh

__all__ = ["Changed", "build", "refresh"]
