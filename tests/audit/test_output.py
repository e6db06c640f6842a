"""Reports for people and machines. SARIF is checked against what its standard demands of each object."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from greynb.audit import RULES, Audit, audit
from greynb.audit.output import as_json, as_sarif, as_text


@pytest.fixture(scope="module")
def found(collector: Path) -> Audit:
    return audit([collector])


@pytest.fixture(scope="module")
def log(found: Audit) -> dict[str, Any]:
    return dict(json.loads(as_sarif(found.findings, found.files)))


# Properties that SARIF 2.1.0 requires, and those that it knows of the objects that are used here.
OBJECTS: dict[str, tuple[set[str], set[str]]] = {
    "sarifLog": ({"version", "runs"}, {"$schema"}),
    "run": ({"tool"}, {"columnKind", "results"}),
    "tool": ({"driver"}, set()),
    "toolComponent": ({"name"}, {"semanticVersion", "rules"}),
    "reportingDescriptor": ({"id"}, {"shortDescription", "fullDescription", "help", "defaultConfiguration"}),
    "multiformatMessageString": ({"text"}, set()),
    "message": ({"text"}, set()),
    "result": (
        {"message"},
        {"ruleId", "ruleIndex", "level", "locations", "partialFingerprints", "properties", "suppressions"},
    ),
    "location": (set(), {"physicalLocation"}),
    "physicalLocation": ({"artifactLocation"}, {"region"}),
    "artifactLocation": ({"uri"}, {"uriBaseId"}),
    "region": ({"startLine"}, {"startColumn", "endLine", "endColumn", "snippet"}),
    "suppression": ({"kind"}, set()),
}


def check(kind: str, value: dict[str, Any]) -> None:
    required, optional = OBJECTS[kind]
    assert required <= set(value) <= required | optional, (kind, value)


def test_every_object_of_the_log_is_one_of_the_standard(log: dict[str, Any]) -> None:
    check("sarifLog", log)
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    check("run", run)
    assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    check("tool", run["tool"])
    check("toolComponent", run["tool"]["driver"])
    for rule in run["tool"]["driver"]["rules"]:
        check("reportingDescriptor", rule)
        for text in ("shortDescription", "fullDescription", "help"):
            check("multiformatMessageString", rule[text])
        assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")


def test_every_result_names_its_rule_and_its_place(log: dict[str, Any], found: Audit) -> None:
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) == len(found.findings) > 50
    for result in run["results"]:
        check("result", result)
        check("message", result["message"])
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] in RULES
        assert result["level"] in ("none", "note", "warning", "error")
        for each in result.get("suppressions", []):
            check("suppression", each)
            assert each["kind"] in ("inSource", "external")
        assert all(isinstance(each, str) for each in result["partialFingerprints"].values())
        (location,) = result["locations"]
        check("location", location)
        check("physicalLocation", location["physicalLocation"])
        check("artifactLocation", location["physicalLocation"]["artifactLocation"])
        region = location["physicalLocation"]["region"]
        check("region", region)
        assert 1 <= region["startLine"] <= region.get("endLine", region["startLine"])
        assert region["startColumn"] >= 1


def test_addresses_are_relative_and_escaped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a folder" / "näme #1%.py"
    path.parent.mkdir()
    path.write_text("import sqlite3\nsqlite3.connect('greyhound_racing_data.db')\n", encoding="utf-8")

    for given in (".", tmp_path, "a folder"):
        found = audit([given])
        (result,) = json.loads(as_sarif(found.findings, 1))["runs"][0]["results"]
        address = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert unquote(address["uri"]) == "a folder/näme #1%.py"
        assert address["uri"].isascii() and " " not in address["uri"] and "#" not in address["uri"]


def test_suppressed_findings_are_in_sarif_with_their_suppression_and_not_in_the_text(
    collector: Path,
) -> None:
    found = audit([collector / "suppressed.py"])
    silent = [each for each in found.findings if each.suppressed]
    results = json.loads(as_sarif(found.findings, 1))["runs"][0]["results"]

    assert len(silent) == 3
    assert sum(1 for each in results if each.get("suppressions") == [{"kind": "inSource"}]) == 3
    assert as_text(found.findings, 1).count("[raw-connect]") == len(found.findings) - 3
    assert "3 findings ignored by comments" in as_text(found.findings, 1)


def test_json_has_every_finding_with_its_place(found: Audit) -> None:
    report = json.loads(as_json(found.findings, found.files))

    assert report["files"] == found.files
    assert [each["rule"] for each in report["findings"]] == [each.rule for each in found.findings]
    assert all(each["line"] >= 1 and each["message"] and each["suggestion"] for each in report["findings"])
    assert {each["cell"] for each in report["findings"] if each["path"].endswith(".ipynb")} >= {2, 6, 7}


def test_the_text_says_where_what_why_and_what_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("evaluate_x.py").write_text(
        "import sqlite3\ncon = sqlite3.connect('greyhound_racing_data_analytics.db')\n"
    )

    found = audit(["evaluate_x.py"])

    assert as_text(found.findings, found.files) == (
        "evaluate_x.py:2:7: warning: sqlite3.connect opens greyhound_racing_data_analytics.db past greynb's "
        "routing [raw-connect]\n"
        "  do: greynb.get_conn(), read-only\n"
        "1 file read: 1 warning"
    )
