"""Indexes that the statements of the query log lacked."""

from __future__ import annotations

from contextlib import closing

import pytest

from greynb import querylog
from greynb.querylog import storing
from tests.doctor.conftest import change, found, ids


@pytest.fixture
def logged(tmp_path, monkeypatch):
    """Puts statements into the log of this user, who has a data folder of the test's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    def logged(*statements: str, file: object) -> None:
        with closing(storing.open_log(querylog.default_file())) as con:
            entries = [
                querylog.Entry("2026-11-26T00:00:00Z", "staging", str(file), None, sql, {}, 2.0, 1)
                for sql in statements
            ]
            storing.append(con, entries)

    return logged


JOIN = (
    "SELECT m.venue FROM race_metadata m LEFT JOIN predictions p"
    " ON p.dog_clean_name = m.race_name AND p.predicted_probability > {}"
)


def test_an_index_that_logged_joins_lacked_is_named_with_the_time_they_took(demo, look, logged):
    logged(JOIN.format(1), JOIN.format(2), "SELECT gone FROM nothing", file=demo.staging)
    finding = found(look(), "missing-indexes")
    assert finding.role == "staging"
    (seen,) = [each for each in finding.evidence if "dog_clean_name" in each]
    assert seen == "predictions(dog_clean_name): 2 runs, 4.0 s in all"
    change(demo.staging, *(line.removeprefix("%staging ") for line in finding.mend.splitlines()))
    assert "missing-indexes" not in ids(look())


def test_statements_on_another_file_and_an_absent_log_find_nothing(demo, look, logged, tmp_path):
    assert "missing-indexes" not in ids(look())
    logged(JOIN.format(1), file=tmp_path / "other.db")
    assert "missing-indexes" not in ids(look())
