"""From one database to two, and back."""

from __future__ import annotations
