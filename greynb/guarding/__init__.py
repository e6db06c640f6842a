"""A backup before something writes to staging, a comparison after it, and the way back."""

from __future__ import annotations

from greynb.guarding.block import Guard, guard

__all__ = ["Guard", "guard"]
