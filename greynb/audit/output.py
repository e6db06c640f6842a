"""An audit as text for people, as JSON, and as SARIF 2.1.0 for code scanners.

Source of the structure: OASIS, Static Analysis Results Interchange Format (SARIF) 2.1.0, sections 3.13
(log), 3.14 (run), 3.18 and 3.19 (tool), 3.27 (result), 3.29 and 3.30 (location, region), 3.35 (suppression).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

from greynb import __version__
from greynb.audit.baseline import fingerprint
from greynb.audit.findings import LEVELS, Finding
from greynb.audit.rules import RULES

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def as_text(findings: Sequence[Finding], files: int) -> str:
    """One block per finding, and a line that counts them."""
    told = [each for each in findings if not each.suppressed]
    blocks = [
        f"{each.where}: {each.level}: {each.message} [{each.rule}]\n  do: {each.suggestion}" for each in told
    ]
    text = "\n".join([*blocks, summary(findings, files)])
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")  # names that are no text


def summary(findings: Sequence[Finding], files: int) -> str:
    """How much was found, in a line."""
    told = [each for each in findings if not each.suppressed]
    counts = Counter(each.level for each in told)
    parts = [_counted(counts[level], level) for level in LEVELS if counts[level]]
    silent = len(findings) - len(told)
    ignored = f"; {_counted(silent, 'finding')} ignored by comments" if silent else ""
    return f"{_counted(files, 'file')} read: {', '.join(parts) or 'nothing found'}{ignored}"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def as_json(findings: Sequence[Finding], files: int) -> str:
    """An object with all findings, suppressed ones marked."""
    rows = [
        {
            "rule": each.rule,
            "level": each.level,
            "path": each.path,
            "line": each.place.line,
            "column": each.place.column,
            "end_line": each.place.last_line,
            "cell": each.place.cell[0] if each.place.cell else None,
            "cell_line": each.place.cell[1] if each.place.cell else None,
            "message": each.message,
            "suggestion": each.suggestion,
            "snippet": each.snippet,
            "fingerprint": fingerprint(each),
            "suppressed": each.suppressed,
        }
        for each in findings
    ]
    return json.dumps({"greynb": __version__, "files": files, "findings": rows}, indent=2)


def as_sarif(findings: Sequence[Finding], files: int) -> str:
    """A SARIF log with one run; `files` is not part of the format."""
    names = list(RULES)
    driver = {
        "name": "greynb audit",
        "semanticVersion": __version__,
        "rules": [
            {
                "id": rule.id,
                "shortDescription": {"text": rule.title},
                "fullDescription": {"text": rule.help},
                "help": {"text": rule.help},
                "defaultConfiguration": {"level": rule.level},
            }
            for rule in RULES.values()
        ],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, names.index(each.rule)) for each in findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(each: Finding, number: int) -> dict[str, object]:
    region: dict[str, object] = {"startLine": each.place.line, "startColumn": each.place.column}
    if each.place.end_line:
        region["endLine"] = each.place.end_line
        if each.place.end_column:
            region["endColumn"] = each.place.end_column
    if each.snippet:
        region["snippet"] = {"text": each.snippet}
    result: dict[str, object] = {
        "ruleId": each.rule,
        "ruleIndex": number,
        "level": each.level,
        "message": {"text": f"{each.message}. Instead: {each.suggestion}."},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(each.path), "region": region}}],
        "partialFingerprints": {"greynb/v1": fingerprint(each)},
    }
    if each.place.cell:
        result["properties"] = {"cell": each.place.cell[0], "cellLine": each.place.cell[1]}
    if each.suppressed:
        result["suppressions"] = [{"kind": "inSource"}]
    return result


def _artifact(path: str) -> dict[str, str]:
    if Path(path).is_absolute():
        return {"uri": "file://" + quote(path, errors="surrogateescape")}
    return {"uri": quote(path, errors="surrogateescape"), "uriBaseId": "%SRCROOT%"}


FORMATS: dict[str, Callable[[Sequence[Finding], int], str]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
}
