"""Whether a copy of the routing agrees with greynb's is decided as running both would decide it."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greynb.audit.findings import Found
from greynb.audit.python import reading
from greynb.routing import Role, Settings
from greynb.routing.settings import DEFAULT_FILES, ROLE_VARIABLES, SHARED_VARIABLES

VARIABLES = (*ROLE_VARIABLES.values(), *SHARED_VARIABLES)
ENVIRONMENTS = [
    {name: f"/data/{name}.db" for name in chosen}
    for size in range(len(VARIABLES) + 1)
    for chosen in combinations(VARIABLES, size)
]


def found(source: str, path: str = "module.py") -> list[Found]:
    return [each for each in reading.check(source, path) if each.rule.startswith("routing-")]


def role_meant(names: list[str]) -> Role:
    return next(role for name in names for role, variable in ROLE_VARIABLES.items() if name == variable)


@given(
    names=st.permutations(VARIABLES).flatmap(
        lambda every: st.integers(1, 5).map(lambda count: every[:count])
    ),
    default=st.sampled_from([*DEFAULT_FILES.values(), "races.db"]),
)
def test_a_copy_differs_exactly_where_some_environment_shows_it(names: list[str], default: str) -> None:
    if not set(names) & set(ROLE_VARIABLES.values()):
        return  # it names no role, so that it cannot agree with both
    chain = " or ".join(f"os.getenv({name!r})" for name in names)
    folder, role = Path("/nowhere"), role_meant(names)

    agrees = all(
        Path(next((environ[name] for name in names if name in environ), folder / default))
        == Settings.from_environ(environ, folder).route(role).path
        for environ in ENVIRONMENTS
    )

    (finding,) = found(f"import os\npath = {chain} or {default!r}\n")
    assert finding.rule == ("routing-copied" if agrees else "routing-differs")


@given(names=st.permutations(VARIABLES))
def test_an_error_is_a_copy_that_prefers_another_variable(names: list[str]) -> None:
    role = role_meant(list(names))
    (finding,) = found("import os\npath = " + " or ".join(f"os.getenv({name!r})" for name in names) + "\n")

    prefers = any(
        chosen != Settings.from_environ(environ, Path("/nowhere")).route(role).path
        for environ in ENVIRONMENTS[1:]
        if (chosen := Path(next(environ[name] for name in names if name in environ)))
    )
    assert finding.level == ("error" if prefers else "warning")


WAYS = {
    "or": "p = os.getenv('A') or os.getenv('B') or 'x.db'",
    "nested defaults": "p = os.getenv('A', os.getenv('B', 'x.db'))",
    "get of environ": "p = os.environ.get('A') or os.environ.get('B') or 'x.db'",
    "conditional": "a = os.getenv('A')\np = a if a else os.getenv('B', 'x.db')",
    "conditional, negated": "a = os.getenv('A')\np = os.getenv('B', 'x.db') if not a else a",
    "in": "p = os.environ['A'] if 'A' in os.environ else os.getenv('B') or 'x.db'",
    "if not": "p = os.getenv('A')\nif not p:\n    p = os.getenv('B')\nif not p:\n    p = 'x.db'",
    "if is None": "p = os.getenv('A')\nif p is None:\n    p = os.getenv('B') or 'x.db'",
    "if, elif, else": (
        "if os.getenv('A'):\n    p = os.getenv('A')\nelif os.getenv('B'):\n    p = os.getenv('B')\n"
        "else:\n    p = 'x.db'"
    ),
    "returns": (
        "def f():\n    if os.getenv('A'):\n        return os.getenv('A')\n    b = os.getenv('B')\n"
        "    if b:\n        return b\n    return 'x.db'"
    ),
    "try": "try:\n    p = os.environ['A']\nexcept KeyError:\n    p = os.getenv('B') or 'x.db'",
    "loop": (
        "def f():\n    for n in ('A', 'B'):\n        v = os.getenv(n)\n        if v:\n            return v\n"
        "    return 'x.db'"
    ),
    "next": "p = next((os.environ[n] for n in ('A', 'B') if n in os.environ), 'x.db')",
    "next of filter": "p = next(filter(None, map(os.getenv, ['A', 'B'])), 'x.db')",
    "own function": (
        "def env(n, d=None):\n    return os.environ.get(n, d)\np = env('A') or env('B') or 'x.db'"
    ),
    "imported names": "from os import getenv as g\np = g('A') or g('B') or 'x.db'",
    "a path": "from pathlib import Path\np = Path(os.getenv('A') or os.getenv('B') or 'x.db').resolve()",
    "an address": "url = f\"sqlite:///{os.getenv('A') or os.getenv('B') or 'x.db'}\"",
    "an attribute": (
        "class C:\n    def __init__(self, db=None):\n"
        "        self.db = db or os.getenv('A') or os.getenv('B') or 'x.db'"
    ),
    "a parameter": "def f(db=os.getenv('A') or os.getenv('B') or 'x.db'):\n    return db",
    "an option": "parser.add_argument('--db', default=os.getenv('A') or os.getenv('B') or 'x.db')",
    "click": "@click.option('--db', envvar=['A', 'B'], default='x.db')\ndef f(db): ...",
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_each_way_of_writing_a_copy_is_read_as_the_same_order(way: str) -> None:
    source = way.replace("'A'", "'ANALYTICS_DB_PATH'").replace("'B'", "'GREYHOUND_DB_PATH'")

    (finding,) = found(f"import os\n{source}\n")

    assert "asks ANALYTICS_DB_PATH, then GREYHOUND_DB_PATH by hand" in finding.message
    assert "falls back to x.db" in finding.message
    assert finding.level == "warning"


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_wrong_order_is_an_error_in_each_way(way: str) -> None:
    source = way.replace("'A'", "'GREYHOUND_DB_PATH'").replace("'B'", "'ANALYTICS_DB_PATH'")

    (finding,) = found(f"import os\n{source}\n")

    assert finding.level == "error"
    assert "takes GREYHOUND_DB_PATH where ANALYTICS_DB_PATH is set, too" in finding.message


OTHERS = [
    "print(os.getenv('ANALYTICS_DB_PATH'))",
    "if os.getenv('ANALYTICS_DB_PATH'):\n    print('routed')",
    "os.environ['ANALYTICS_DB_PATH'] = path",
    "os.environ['STAGING_DB_PATH'] = os.environ['GREYHOUND_DB_PATH']",
    "url = os.getenv('DATABASE_URL')",
    "url = os.getenv('DATABASE_URL', 'postgresql://localhost/races')",
    "path = os.getenv('CACHE_DB') or 'cache.db'",
    "settings = {name: os.getenv(name) for name in ('ANALYTICS_DB_PATH', 'STAGING_DB_PATH')}",
    "subprocess.run(['x'], env={'ANALYTICS_DB_PATH': os.environ['ANALYTICS_DB_PATH']})",
    "logging.info('analytics is %s', os.getenv('ANALYTICS_DB_PATH', 'unset'))",
    "assert os.getenv('ANALYTICS_DB_PATH') == 'x'",
    "text = \"os.getenv('ANALYTICS_DB_PATH') or 'x.db'\"",
    "del os.environ['ANALYTICS_DB_PATH']",
    "os.environ.pop('ANALYTICS_DB_PATH', None)",
]


@pytest.mark.parametrize("source", OTHERS)
def test_what_only_mentions_a_variable_is_no_copy(source: str) -> None:
    assert found(f"import os, logging, subprocess\n{source}\n") == []
