"""The values of `AnalyticsConnection`: bound as those of cells are; what only DuckDB knows, as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from greynb.databases.gate import Passed
from greynb.databases.values import Lossy, Unbindable, bindable
from greynb.errors import ParameterError, QueryError

Parameters = Mapping[str, object] | Sequence[object] | None


def named(statements: list[Passed], parameters: Parameters) -> list[Passed]:
    """Refuse values by position for several statements: it would be a guess which takes which."""
    if len(statements) > 1 and parameters and not isinstance(parameters, Mapping):
        raise QueryError("several statements take their parameters by name", hint="write $name, pass a dict")
    return statements


def taken(passed: Passed, parameters: Parameters) -> Parameters:
    """The values that a statement takes, as DuckDB can bind them without changing what they mean.

    Raises
    ------
    ParameterError
        DuckDB would cut a value short.
    """
    if isinstance(parameters, Mapping):
        used = [name for name in passed.parameters if name in parameters]
        return {name: _exact(name, parameters[name]) for name in used} or None
    if parameters is None:
        return None
    return [_exact(f"value {number}", each) for number, each in enumerate(parameters, start=1)]


def _exact(name: str, value: object) -> object:
    if isinstance(value, dict):
        return {key: _exact(name, each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_exact(name, each) for each in value]
    try:
        return bindable(value, "duckdb")
    except Lossy as error:
        raise ParameterError(
            f"{name} cannot be bound: it {error}", hint=error.hint.format(name=name)
        ) from None
    except Unbindable:
        return value  # DuckDB has more types, and says what it cannot take
