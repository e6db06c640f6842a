"""Scripts as the collector has them, each with what is to be found written in the line where it is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from greynb.audit import RULES, audit
from tests.audit.conftest import CORPUS

FILES = sorted(path for path in CORPUS.rglob("*") if path.is_file())


def expected(path: Path) -> list[tuple[int, str, str]]:
    """Line, rule and level of each ``expect: rule:level, rule:level`` of a file."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        wanted = line.replace('\\"', "").partition("expect: ")[2].partition(" #")[0].rstrip('", \\n')
        for each in filter(None, wanted.split(", ")):
            rule, _, level = each.strip().partition(":")
            assert rule in RULES, f"{path}:{number}"
            found.append((number, rule, level))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(CORPUS).as_posix())
def test_a_script_has_the_findings_that_stand_in_it_and_no_others(path: Path, collector: Path) -> None:
    found = [each for each in audit([collector / path.relative_to(CORPUS)]).findings if not each.suppressed]

    assert sorted((each.place.line, each.rule, each.level) for each in found) == sorted(expected(path))


def test_the_corpus_copies_the_routing_in_many_ways_and_breaks_every_rule() -> None:
    rules = [rule for path in FILES for _, rule, _ in expected(path)]

    assert len(FILES) >= 50
    assert rules.count("routing-differs") + rules.count("routing-copied") >= 18
    assert set(rules) == set(RULES)
