"""Publishing staging to analytics as immutable versions."""

from __future__ import annotations

from greynb.publish.full import sync
from greynb.publish.result import SyncResult

__all__ = ["SyncResult", "sync"]
