"""The charts say what they show, in the drawing and in words, and are drawn the same every time."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from greynb.demo import season
from greynb.demo.write import write_season
from greynb.errors import UsageError
from greynb.evaluation import Evaluation
from greynb.evaluation.charts import Chart
from greynb.evaluation.chartstyle import PAGE_VARIABLES
from greynb.report import Report
from tests.evaluation.files import Dog, Race, evaluation_of, rows_of, write

CHARTS: dict[str, Callable[[Evaluation], Chart]] = {
    "reliability": lambda found: found.reliability(),
    "flat": lambda found: found.returns(),
    "kelly": lambda found: found.returns("kelly"),
    "group": lambda found: found.by_group(),
    "group_roi": lambda found: found.by_group("roi_flat"),
    "odds": lambda found: found.by_odds(),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    path = tmp_path_factory.mktemp("season") / "analytics.db"
    write_season(path, season(300, seed=6))
    return evaluation_of(path, by="venue", resamples=50)


def words_of(chart: Chart) -> str:
    return " ".join("".join(each.itertext()).strip() for each in ET.fromstring(chart.svg).iter())


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_labelled_has_its_n_and_says_in_words_what_it_shows(found: Evaluation, name: str) -> None:
    chart = CHARTS[name](found)
    words = words_of(chart)
    assert re.search(r"\(n = [\d,]+ (starters|bets|races)\)", words)
    assert "model" in words and chart.alt in words
    assert len(re.findall(r"\d", chart.alt)) > 5 and chart.caption.endswith(".")
    assert not chart.source.empty and chart.source.attrs["greynb"]["kind"] == "evaluation"


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_has_only_colours_that_the_page_can_change(found: Evaluation, name: str) -> None:
    svg = CHARTS[name](found).svg
    drawn = set(re.findall(r"#[0-9a-f]{6}\b", re.sub(r'(xlink:href|id)="#?[^"]*"', "", svg)))
    assert drawn <= set(PAGE_VARIABLES)
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", svg)


def test_a_chart_is_the_same_whenever_it_is_drawn(found: Evaluation) -> None:
    assert found.reliability().svg == found.reliability().svg


def test_a_report_takes_a_chart_with_its_words(found: Evaluation, tmp_path: Path) -> None:
    report = Report("How good").chart(found.by_odds())
    report.save(tmp_path / "x.html")
    assert found.by_odds().alt.split(":")[0] in (tmp_path / "x.html").read_text(encoding="utf-8")


def test_the_words_of_the_profit_are_its_numbers(tmp_path: Path) -> None:
    won, lost = Race([Dog(1, 3.0, 0.6), Dog(2, 2.0, 0.4)]), Race([Dog(2, 3.0, 0.6), Dog(1, 2.0, 0.4)])
    days = [won, lost, lost, lost, won]
    path = write(tmp_path / "analytics.db", rows_of(days))
    alt = evaluation_of(path).returns().alt
    assert "model ends at +1 units after 5 bets, at most 3 units below its peak" in alt


def test_of_many_groups_the_largest_are_drawn_and_it_says_so(tmp_path: Path) -> None:
    race = [Dog(1, 2.0, 0.6), Dog(2, 3.0, 0.4)]
    races = [Race(race, venue=f"V{number:02}") for number in range(45)] + [Race(race, venue="V44")] * 3
    chart = evaluation_of(write(tmp_path / "analytics.db", rows_of(races)), by="venue").by_group()
    assert "the 40 largest of 45" in words_of(chart) and "V44" in words_of(chart)


def test_charts_work_without_prices_and_with_one_race(tmp_path: Path) -> None:
    path = write(tmp_path / "analytics.db", rows_of([Race([Dog(1, None, 0.6), Dog(2, None, 0.4)])]))
    found = evaluation_of(path, by="venue")
    assert "starters" in found.reliability().alt and "winners picked" in words_of(found.by_group()).lower()
    with pytest.raises(UsageError, match="no bet"):
        found.returns()
    with pytest.raises(UsageError, match="no bet"):
        found.by_odds()


def test_a_chart_that_cannot_be_is_a_clear_error(found: Evaluation, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no metric nonsense"):
        found.by_group("nonsense")
    with pytest.raises(UsageError, match="'flat' or 'kelly'"):
        found.returns("martingale")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="nothing was grouped"):
        evaluation_of(
            write(tmp_path / "a.db", rows_of([Race([Dog(1, 2.0, 0.6), Dog(2, 2.0, 0.4)])]))
        ).by_group()


def test_the_names_of_metrics_keep_their_capitals(found: Evaluation) -> None:
    assert found.by_group("auc").alt.startswith("AUC by venue")
    assert found.by_group("roi_kelly").alt.startswith("Return, Kelly stakes by venue")
