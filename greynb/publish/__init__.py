"""Publishing staging to analytics as immutable versions."""

from __future__ import annotations

from greynb.publish.publication import sync
from greynb.publish.result import SyncResult, TableResult

__all__ = ["SyncResult", "TableResult", "sync"]
