"""What a publication should contain: a plan read from ``greynb.toml`` and applied to the unpublished copy."""

from __future__ import annotations

from greynb.publish.etl.applying import apply
from greynb.publish.etl.plan import Plan, load_plan
from greynb.publish.etl.report import EtlReport

__all__ = ["EtlReport", "Plan", "apply", "load_plan"]
