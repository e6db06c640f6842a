"""What is wrong with the databases, and what mends it: ``greynb doctor`` and ``greynb optimize``."""

from __future__ import annotations

from greynb.doctor.examination import Examination, Treated, examine, treat
from greynb.doctor.findings import Finding
from greynb.doctor.patient import Patient

__all__ = ["Examination", "Finding", "Patient", "Treated", "examine", "treat"]
