"""Audit: reads Python, shell, notebooks and SQL without running them, says where they bypass routing."""

from __future__ import annotations

from greynb.audit.findings import Finding, Level, Place
from greynb.audit.rules import RULES, Rule
from greynb.audit.running import Audit, audit

__all__ = ["RULES", "Audit", "Finding", "Level", "Place", "Rule", "audit"]
