"""Names of columns as unique texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from greynb.databases.frames import unique_names


def named(given: Sequence[Any]) -> tuple[list[str], list[str]]:
    """Make unique texts of columns' names.

    Returns
    -------
    tuple
        The names, and what to say of them.
    """
    texts = [name_of(name) for name in given]
    names, notices = unique_names(texts), []
    if any(isinstance(name, tuple) for name in given):
        notices.append("columns of several levels are named by all of them, joined with _")
    renamed = [name for name, text in zip(names, texts, strict=True) if name != text]
    if renamed:
        notices.append(f"repeated column names are numbered: {', '.join(renamed)}")
    return names, notices


def name_of(name: Any) -> str:
    """Write one name as text."""
    if isinstance(name, str):
        return name.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(name, tuple):
        return "_".join(text for text in map(name_of, name) if text)
    return "" if name is None else str(name)
