"""``greynb verify FILE``: whether the numbers of a report or an export still hold."""

from __future__ import annotations

from greynb.report.verifying.verdict import Difference, FileVerification, State, Verdict
from greynb.report.verifying.verifying import FileVerifier, verify_file

__all__ = ["Difference", "FileVerification", "FileVerifier", "State", "Verdict", "verify_file"]
