"""Findings that are known and shall not be told again: counted by rule, file and code, not by line number."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from greynb.audit.findings import Finding
from greynb.errors import UsageError

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Compared:
    """Findings beside a baseline: those that are new, those that it knows, and how many of it are gone."""

    new: list[Finding]
    known: list[Finding]
    gone: int


def fingerprint(finding: Finding) -> str:
    """What a finding is known by: its rule, its file and the code of its line; not the line's number."""
    told = "\0".join((finding.rule, finding.path, " ".join(finding.snippet.split())))
    return hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def write(path: Path, findings: Iterable[Finding]) -> int:
    """Write a baseline of findings and return their number; the old file stays until the new one is whole."""
    rows = [
        {"rule": each.rule, "path": each.path, "line": each.place.line, "fingerprint": fingerprint(each)}
        for each in findings
        if not each.suppressed
    ]
    text = json.dumps({"greynb-audit-baseline": _VERSION, "findings": rows}, indent=1) + "\n"
    aside = path.with_name(f"{path.name}.new")
    try:
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        raise UsageError(
            f"the baseline cannot be written: {error.strerror}", path=path, hint="name a file that can be"
        ) from error
    return len(rows)


def compared(path: str | os.PathLike[str], findings: Iterable[Finding]) -> Compared:
    """Compare findings with a baseline.

    Raises
    ------
    UsageError
        The file is missing, or is no baseline.
    """
    left = _read(Path(path))
    new: list[Finding] = []
    known: list[Finding] = []
    for each in findings:
        mark = fingerprint(each)
        if left[mark] > 0:
            left[mark] -= 1
            known.append(each)
        else:
            new.append(each)
    return Compared(new, known, sum(left.values()))


def _read(path: Path) -> Counter[str]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["greynb-audit-baseline"] != _VERSION:
            raise ValueError("of another version")
        return Counter(str(each["fingerprint"]) for each in content["findings"])
    except FileNotFoundError as error:
        raise UsageError(
            "there is no baseline yet", path=path, hint="make it with --write-baseline, and commit it"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"this is no baseline of greynb audit: {error}",
            path=path,
            hint="make it anew with --write-baseline",
        ) from error
