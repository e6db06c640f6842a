"""A script's name says whether it writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from greynb.errors import RoutingError
from greynb.routing import role_of
from greynb.routing.route import Role


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("scripts/ingest_form_guides.py", "staging"),
        ("train_model_v4.py", "staging"),
        ("register_latest_v4_model.py", "staging"),
        ("scripts/tgr_backfill_from_longform_by_date.py", "staging"),
        ("verify_and_patch_schema.py", "staging"),
        ("scripts/evaluate_race_level_v4.py", "analytics"),
        ("predict_upcoming.sh", "analytics"),
        ("analyze_odds.py", "analytics"),
        ("box_bias_analysis.ipynb", "analytics"),
        ("daily_report.py", "analytics"),
        ("generate_reports.py", "analytics"),
        ("generate_monthly_report.py", "analytics"),
        ("summarise_season.py", "analytics"),
        ("dev/check_routing.py", "analytics"),
        ("C:\\work\\scripts\\dev\\check_routing.py", "analytics"),
        ("C:\\work\\scripts\\Ingest_Odds.PY", "staging"),
        ("ingest-odds.sh", "staging"),
        ("notebooks/ingest.ipynb", "staging"),
        ("notebooks/evaluation.ipynb", "analytics"),
        ("notebooks/report.ipynb", "analytics"),
        ("/srv/jobs/predict", "analytics"),
    ],
)
def test_a_script_has_the_role_of_its_category(path: str, role: Role) -> None:
    assert role_of(path) == role
    assert role_of(Path(path)) == role


@pytest.mark.parametrize("path", ["train_report.py", "ingest_analysis.py", "dev/ingest_check.py"])
def test_a_script_that_may_write_is_staging_also_where_its_name_says_report(path: str) -> None:
    assert role_of(path) == "staging"


@pytest.mark.parametrize(
    "path", ["check_routing.py", "trainer.py", "ingestion.py", "app.py", "ingest_odds/app.py", "", "dev/x.py"]
)
def test_an_unknown_name_is_an_error_that_lists_the_patterns(path: str) -> None:
    with pytest.raises(RoutingError) as caught:
        role_of(path)
    assert "ingest_*" in str(caught.value)
    assert "evaluate_*" in str(caught.value)
