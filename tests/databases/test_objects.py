"""Python objects in columns of the notebook's frames: DuckDB sees all of them, and each as what it is."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal

import pandas as pd
import pytest

from greynb.databases.analytics import AnalyticsSession
from greynb.databases.snapshot import SnapshotSource
from greynb.profiling.frames import FrameProfiler

ROWS = 3_000
RARE = 1_501


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalyticsSession]:
    path = tmp_path_factory.mktemp("objects") / "analytics.db"
    with closing(sqlite3.connect(path)) as con:
        con.execute("CREATE TABLE races (id)")
    with closing(AnalyticsSession(SnapshotSource(path, shared=False))) as session:
        yield session


def frame(usual: object, rare: object) -> pd.DataFrame:
    """One object among many of another kind, under an index and beside a column that say nothing."""
    values = [usual] * ROWS
    values[RARE] = rare
    one = pd.Series(values, dtype=object)
    return pd.DataFrame({"x": one, "y": range(ROWS)}).set_axis([7] * ROWS)


@pytest.mark.parametrize(
    ("usual", "rare", "kind"),
    [
        (Decimal("0.5"), Decimal("0.123"), "DECIMAL(3,3)"),
        (Decimal(5), Decimal("1E+2"), "DECIMAL(3,0)"),
        (None, Decimal("-1.5E+3"), "DECIMAL(4,0)"),
        (1.5, Decimal("1E+2"), "DOUBLE"),
        (1, 2.5, "DOUBLE"),
        (1, "7.9", "VARCHAR"),
        (dt.date(2025, 7, 1), dt.datetime(2025, 7, 1, 10, 20), "TIMESTAMP"),
    ],
)
def test_a_rare_object_is_not_made_what_the_others_are(
    session: AnalyticsSession, usual: object, rare: object, kind: str
) -> None:
    given = frame(usual, rare)
    sql = f"SELECT typeof(x), x FROM given WHERE y = {RARE}"
    ran = session.run(f"CREATE OR REPLACE TEMP TABLE kept AS {sql}; FROM kept", variables={"given": given})
    assert ran[-1].frame is not None
    with session.reader() as con:
        con.register("given", given)
        assert con.execute(sql).fetchone() == (kind, rare)
    found = ran[-1].frame.iloc[0]
    wanted = float(rare) if isinstance(rare, Decimal) else rare  # as results have it
    assert (found.iloc[0], found.iloc[1]) == (kind, wanted)
    assert given["x"].iloc[RARE] is rare


def test_a_profile_sees_every_object() -> None:
    profile = FrameProfiler(frame(Decimal("0.5"), Decimal("1E+2")), "frame").measure()
    assert float(profile.columns[0].high) == 100
