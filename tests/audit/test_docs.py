"""docs/audit.md explains every rule with an example that has the fault, and one that has not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from greynb.audit import RULES, audit

DOCS = Path(__file__).resolve().parents[2] / "docs" / "audit.md"
SECTIONS = {
    part.partition("\n")[0].strip(): part for part in DOCS.read_text(encoding="utf-8").split("\n### ")[1:]
}


def examples(rule: str) -> list[tuple[str, str, str]]:
    """Name, before or after, and text of each example of a rule."""
    blocks = re.findall(r"```(?:python|bash)\n(.*?)```", SECTIONS[rule], re.DOTALL)
    heads = [re.match(r"# (\S+), (before|after)\n", block) for block in blocks]
    return [(head[1], head[2], block) for head, block in zip(heads, blocks, strict=True) if head]


def test_every_rule_has_its_section_and_no_other_has() -> None:
    assert list(SECTIONS) == list(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_the_example_of_a_rule_shows_it_and_its_mending(rule: str, tmp_path: Path) -> None:
    (name, first, bad), (_, second, good) = examples(rule)
    assert (first, second) == ("before", "after")
    script = tmp_path / name

    script.write_text(bad, encoding="utf-8")
    assert rule in [each.rule for each in audit([script]).findings]
    script.write_text(good, encoding="utf-8")
    assert audit([script]).findings == ()


def test_the_messages_shown_are_those_of_the_audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name, _, bad = examples("routing-differs")[0]
    Path(name).write_text(bad, encoding="utf-8")

    (finding,) = audit([name]).findings

    shown = re.findall(r"\n\n```\n(.*?)```", SECTIONS["routing-differs"], re.DOTALL)[0]
    assert " ".join(shown.split()) == f"{finding.where}: {finding.level}: {finding.message}"
