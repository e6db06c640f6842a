"""From a pair of SQLite files to PostgreSQL and DuckLake, and back."""

from __future__ import annotations
