"""The notebook's variables as a statement may name them."""

from __future__ import annotations

from types import FunctionType, ModuleType
from typing import Any, Final

_HIDDEN: Final = frozenset("In Out exit quit get_ipython open".split())


def is_public(name: str, value: object) -> bool:
    """Whether a variable is one that a person made, and that could be bound or read."""
    if name.startswith("_") or name in _HIDDEN:
        return False
    return not isinstance(value, (ModuleType, FunctionType, type))


def kind_of(value: object) -> str:
    """What a value is, in a word: ``int``, ``list of 3``, ``DataFrame``."""
    name = type(value).__name__
    return f"{name} of {len(value):,}" if isinstance(value, (list, tuple, set, frozenset)) else name


def frame_columns(frame: Any) -> list[tuple[str, str]]:
    """The columns of a DataFrame or an Arrow table with their types; none where asking could be slow."""
    if type(frame).__name__ in ("LazyFrame", "RecordBatchReader"):
        return []
    if hasattr(frame, "dtypes") and hasattr(frame, "columns"):
        return [(str(name), str(kind)) for name, kind in zip(frame.columns, frame.dtypes, strict=True)]
    return [(each.name, str(each.type)) for each in frame.schema]
