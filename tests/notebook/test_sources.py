"""With ``%config Greynb.record = True`` a notebook carries the origin of its results."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd

from greynb.report.recording import MIME, Source
from tests.notebook.shell import run


def records(captured):
    found = [record for output in captured.outputs for record in output.data.get(MIME, ())]
    return [Source.from_dict(each) for each in found]


def test_each_result_with_rows_is_recorded_also_where_it_is_not_shown(shell):
    run(shell, "%config Greynb.record = True")
    captured = run(shell, "%%analytics df\nSELECT 1 AS a;\nSELECT venue FROM races")
    assert [(each.sql, each.rows) for each in records(captured)] == [
        ("SELECT 1 AS a", 1),
        ("SELECT venue FROM races", 4),
    ]
    assert records(run(shell, "%%staging\nSELECT count(*) AS n FROM races"))[0].role == "staging"
    assert records(run(shell, "%%staging\nDELETE FROM runs")) == []


def test_nothing_is_recorded_unless_it_is_asked_for(shell):
    assert records(run(shell, "%%analytics df\nSELECT 1 AS a")) == []


class Evaluation(SimpleNamespace):
    """What the notebook looks for: a result of this name with a table that knows its origin."""


def test_an_evaluation_is_recorded_once_after_the_cell_that_made_it(shell):
    run(shell, "%config Greynb.record = True")
    table = pd.DataFrame({"metric": ["brier"], "value": [0.1]})
    table.attrs["greynb"] = {"kind": "evaluation", "arguments": {"by": "venue"}, "rows": 1}
    shell.user_ns["Evaluation"], shell.user_ns["table"] = Evaluation, table
    (made,) = records(run(shell, "found = Evaluation(table=table)"))
    assert made.kind == "evaluation" and made.arguments == {"by": "venue"}
    assert records(run(shell, "1 + 1")) == []


def test_unloading_stops_looking_for_evaluations(shell):
    before = len(shell.events.callbacks["post_run_cell"])
    run(shell, "%unload_ext greynb")
    assert len(shell.events.callbacks["post_run_cell"]) == before - 1
