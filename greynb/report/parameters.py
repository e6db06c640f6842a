"""Parameters of a notebook: the cell tagged ``parameters`` names them and gives their defaults and types."""

from __future__ import annotations

import ast
import datetime as dt
import difflib
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from greynb.errors import UsageError

if TYPE_CHECKING:
    from nbformat import NotebookNode

TAG: Final = "parameters"
_INJECTED: Final = "injected-parameters"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One name of the cell, and the default it has there; None is a text that is not given."""

    name: str
    default: Any


def parameters_of(node: NotebookNode) -> dict[str, Parameter]:
    """List the parameters of a notebook: the names that its first tagged cell sets to plain values.

    Plain are numbers, texts, True, False, None, lists of these, and ``date(2025, 7, 1)`` (also as
    ``dt.date`` or ``datetime.date``).

    Raises
    ------
    UsageError
        The cell is not Python.
    """
    found = {}
    for statement in _statements(node):
        if isinstance(statement, ast.Assign):
            targets, value = statement.targets, statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets, value = [statement.target], statement.value
        else:
            continue
        for target in targets:
            if isinstance(target, ast.Name) and (default := _plain(value)) is not _NOT_PLAIN:
                found[target.id] = Parameter(target.id, default)
    return found


def chosen(node: NotebookNode, given: Sequence[str]) -> list[dict[str, Any]]:
    """Read ``name=value`` texts: one set of values, or several where a name is given more than once.

    Several values of several names give every combination, in the order given.

    Parameters
    ----------
    node
        The notebook.
    given
        As on the command line. A value is read as the type of its default; a list as its items with commas.

    Raises
    ------
    UsageError
        No such parameter, a value of another type, or a notebook without parameters.
    """
    known = parameters_of(node)
    values: dict[str, list[Any]] = {}
    for each in given:
        name, equals, text = each.partition("=")
        if not equals:
            raise UsageError(f"--param {each} has no value", hint=f"write --param {name}=VALUE")
        value = _read(_known(known, name, node), text)
        if value not in (same := values.setdefault(name, [])):
            same.append(value)
    return [dict(zip(values, each, strict=True)) for each in itertools.product(*values.values())]


def inject(node: NotebookNode, values: Mapping[str, Any]) -> int | None:
    """Put a cell that sets the values behind the one that gives the defaults, and say where it was put.

    One that papermill or an earlier run has left is replaced, since it would undo what this one sets; then
    no cell moves, and None is given.
    """
    from nbformat.v4 import new_code_cell

    place = _place(node, TAG)
    if place is None or not values:
        return None
    lines = [f"{name} = {_source(value)}" for name, value in values.items()]
    cell = new_code_cell("\n".join(lines), metadata={"tags": [_INJECTED, "remove-cell"]})
    if (node.nbformat, node.nbformat_minor) < (4, 5):
        cell.pop("id")
    if (old := _place(node, _INJECTED)) is not None:
        node.cells[old] = cell
        return None
    node.cells.insert(place + 1, cell)
    return place + 1


def _place(node: NotebookNode, tag: str) -> int | None:
    return next(
        (
            place
            for place, cell in enumerate(node.cells)
            if cell.cell_type == "code" and tag in cell.metadata.get("tags", [])
        ),
        None,
    )


def _statements(node: NotebookNode) -> list[ast.stmt]:
    """The statements of the cell, without magics, which are not Python."""
    place = _place(node, TAG)
    if place is None:
        return []
    try:
        return ast.parse(re.sub(r"^\s*[%!].*$", "", node.cells[place].source, flags=re.MULTILINE)).body
    except (SyntaxError, ValueError) as error:
        raise UsageError(
            f"the notebook's cell of parameters cannot be read: {error}",
            hint="let it do nothing but set names to numbers, texts, dates and lists",
        ) from error


_NOT_PLAIN: Final = object()


def _plain(value: ast.expr) -> Any:
    try:
        found = ast.literal_eval(value)
    except ValueError:
        called = isinstance(value, ast.Call) and ast.unparse(value.func).split(".")[-1] == "date"
        if not called:
            return _NOT_PLAIN
        assert isinstance(value, ast.Call)
        try:
            return dt.date(*map(ast.literal_eval, value.args))
        except (ValueError, TypeError):
            return _NOT_PLAIN
    return found if isinstance(found, (int, float, str, list, type(None))) else _NOT_PLAIN


def _known(known: Mapping[str, Parameter], name: str, node: NotebookNode) -> Parameter:
    if name in known:
        return known[name]
    if _place(node, TAG) is None:
        hint = f"give the cell that sets the defaults the tag {TAG!r}"
        raise UsageError("the notebook has no parameters", hint=hint)
    near = difflib.get_close_matches(name, known, 1)
    listed = ", ".join(f"{each.name} ({_shown(each.default)})" for each in known.values()) or "none"
    guess = f"did you mean {near[0]}? " if near else ""
    raise UsageError(f"the notebook has no parameter {name}", hint=f"{guess}its parameters are: {listed}")


def _read(parameter: Parameter, text: str) -> Any:
    default = parameter.default
    try:
        return _reader(default)(text)
    except ValueError as error:
        kind = "date as 2025-07-31" if isinstance(default, dt.date) else _KINDS.get(type(default), "value")
        raise UsageError(
            f"{parameter.name}={text} is not a {kind}", hint=f"its default is {_shown(default)}"
        ) from error


def _reader(default: Any) -> Callable[[str], Any]:
    if isinstance(default, list):
        item = _reader(default[0]) if default else str
        return lambda text: [item(part.strip()) for part in text.split(",")] if text.strip() else []
    return _READERS.get(type(default), str)


def _truth(text: str) -> bool:
    try:
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
    except KeyError:
        raise ValueError(text) from None


_READERS: dict[type, Callable[[str], Any]] = {
    bool: _truth,
    int: int,
    float: float,
    dt.date: dt.date.fromisoformat,
}
_KINDS = {bool: "truth value (true or false)", int: "whole number", float: "number", list: "list of its kind"}


def _shown(value: Any) -> str:
    """Write a value as one gives it on the command line; texts in quotes, so that an empty one is seen."""
    return value.isoformat() if isinstance(value, dt.date) else _source(value)


def _source(value: Any) -> str:
    """Write a value as Python that needs no import."""
    if isinstance(value, dt.date):
        return f'__import__("datetime").date({value.year}, {value.month}, {value.day})'
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return f'float("{value}")'
    if isinstance(value, list):
        return f"[{', '.join(map(_source, value))}]"
    return repr(value)
