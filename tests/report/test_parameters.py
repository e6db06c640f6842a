"""Parameters of a notebook are read from one cell and given values of the same types."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from greynb.errors import UsageError
from greynb.report.parameters import chosen, inject, parameters_of

CODE = """
import datetime as dt
from datetime import date
# What a reader may choose
month = "2025-07"  # as YYYY-MM
races: int = 100
share = 0.5
full = False
since = dt.date(2025, 7, 1)
until = date(2025, 8, 1)
boxes = [1, 8]
venues = []
model = None
lower = -2
computed = len("abc")
%config x = 1
"""


def notebook(code: str = CODE) -> Any:
    return new_notebook(
        cells=[new_code_cell("a = 1"), new_code_cell(code, metadata={"tags": ["parameters"]})]
    )


def test_plain_defaults_are_the_parameters() -> None:
    found = {name: each.default for name, each in parameters_of(notebook()).items()}
    assert found == {
        **{"month": "2025-07", "races": 100, "share": 0.5, "full": False, "since": dt.date(2025, 7, 1)},
        **{"until": dt.date(2025, 8, 1), "boxes": [1, 8], "venues": [], "model": None, "lower": -2},
    }


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("month=2025-08", "2025-08"),
        ("month=a=b", "a=b"),
        ("races=7", 7),
        ("share=1", 1.0),
        ("full=yes", True),
        ("full=false", False),
        ("since=2025-12-31", dt.date(2025, 12, 31)),
        ("boxes=2, 3", [2, 3]),
        ("boxes=", []),
        ("venues=MAND,SALE", ["MAND", "SALE"]),
        ("model=v2", "v2"),
    ],
)
def test_a_value_is_read_as_the_type_of_its_default(given: str, value: object) -> None:
    name = given.split("=")[0]
    (found,) = chosen(notebook(), [given])
    assert found == {name: value} and type(found[name]) is type(value)


@pytest.mark.parametrize(
    "given", ["races=many", "races=1.5", "share=x", "full=maybe", "since=1/7/2025", "boxes=a"]
)
def test_a_value_of_another_type_is_refused_with_the_default(given: str) -> None:
    with pytest.raises(UsageError, match="is not a") as caught:
        chosen(notebook(), [given])
    assert "its default is" in str(caught.value)


def test_an_unknown_name_is_refused_with_the_nearest_and_the_known() -> None:
    with pytest.raises(UsageError, match="no parameter mnth") as caught:
        chosen(notebook(), ["mnth=2025-07"])
    assert "did you mean month?" in str(caught.value) and "races (100)" in str(caught.value)


def test_a_notebook_without_parameters_says_so() -> None:
    with pytest.raises(UsageError, match="has no parameters") as caught:
        chosen(new_notebook(cells=[new_code_cell("month = 1")]), ["month=2"])
    assert "'parameters'" in str(caught.value)


def test_a_name_without_a_value_is_refused() -> None:
    with pytest.raises(UsageError, match="has no value"):
        chosen(notebook(), ["month"])


def test_no_parameter_makes_one_set_and_repeated_ones_every_combination() -> None:
    assert chosen(notebook(), []) == [{}]
    found = chosen(notebook(), ["month=a", "month=b", "races=1", "races=2"])
    assert found == [
        {"month": "a", "races": 1},
        {"month": "a", "races": 2},
        {"month": "b", "races": 1},
        {"month": "b", "races": 2},
    ]


def test_values_are_set_behind_the_defaults_as_they_are() -> None:
    values = {
        "month": 'it\'s \\ "x"',
        "since": dt.date(2025, 7, 1),
        "share": float("inf"),
        "boxes": [1, 2],
        "m": None,
    }
    node = notebook()
    inject(node, values)
    assert "injected-parameters" in node.cells[2].metadata["tags"]
    scope: dict[str, Any] = {}
    exec(node.cells[2].source, scope)
    assert {name: scope[name] for name in values} == values


def test_a_cell_of_parameters_that_is_no_python_is_one_short_error() -> None:
    node = notebook()
    node.cells[1].source = "month = 'a'\nfiles = !ls"
    with pytest.raises(UsageError, match="cell of parameters cannot be read"):
        chosen(node, ["month=b"])


def test_a_date_is_named_as_it_is_given() -> None:
    node = notebook("from datetime import date\nday = date(2025, 7, 1)")
    for given in ("day=soon", "dya=2025-07-02"):
        with pytest.raises(UsageError) as caught:
            chosen(node, [given])
        assert caught.value.hint and "2025-07-01" in caught.value.hint and "import" not in caught.value.hint


def test_the_same_value_given_twice_makes_one_report() -> None:
    node = notebook("month = '2025-07'")
    assert chosen(node, ["month=2025-05", "month=2025-05"]) == [{"month": "2025-05"}]
