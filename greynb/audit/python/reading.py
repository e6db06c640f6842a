"""Python source: parsed, indexed, and given to the rules."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

from greynb.audit.families import builtsql, commands, paths, roles, routing, writes
from greynb.audit.families.script import Script
from greynb.audit.findings import Found, Place
from greynb.audit.python.module import Module

_FAMILIES = (routing, commands, paths, roles, writes, builtsql)


def check(text: str, path: str) -> Iterator[Found]:
    """Audit a Python source; `path` is for its name."""
    try:
        tree = parse(text)
    except (SyntaxError, ValueError) as error:
        yield unread(error)
        return
    yield from check_tree(tree, text, path)


def check_tree(tree: ast.Module, text: str, path: str) -> Iterator[Found]:
    """Audit a tree that is parsed already."""
    script = Script(path, Module(tree, text.split("\n")), text)
    for family in _FAMILIES:
        yield from family.check(script)


def parse(text: str) -> ast.Module:
    """Parse without the warnings that old sources bring, on escapes for example."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def unread(error: SyntaxError | ValueError) -> Found:
    """The note for a source that is no Python of today."""
    line = getattr(error, "lineno", None) or 1
    what = error.msg if isinstance(error, SyntaxError) else str(error)
    old = isinstance(error, SyntaxError) and ("print" in what or "exec" in what or "except" in what)
    return Found(
        "not-checked",
        Place(line, max(1, getattr(error, "offset", None) or 1)),
        f"this is no Python 3 that can be parsed: {what}",
        "2to3 or python-modernize: this looks like Python 2" if old else "mend the syntax, then audit again",
    )
