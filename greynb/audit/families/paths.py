"""Databases opened past the routing, paths in the code, and files copied as files."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from greynb.audit.families.script import Script
from greynb.audit.findings import Found, Place
from greynb.audit.python.opening import Opening
from greynb.audit.sql import attached, known_text
from greynb.audit.targets import Target, looks_like_file, named, target_of
from greynb.audit.values import Temporary, Text
from greynb.routing.route import Role

_COPIERS = {
    *("shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.move"),
    *("os.rename", "os.replace", "os.link"),
}
_SAID = {
    "print",
    "log",
    "debug",
    "info",
    "warning",
    "error",
    "exception",
    "critical",
    "echo",
    "write",
    "ValueError",
}


def check(script: Script) -> Iterator[Found]:
    """Find all of this family, in source order of each kind."""
    yield from _opened(script)
    yield from _attached(script)
    yield from _copied(script)
    yield from _written(script)


def instead(role: Role | None, script: Role | None) -> str:
    """What to write instead of opening a file."""
    if role is None and script is not None:
        return f"greynb.get_conn(for_script=__file__), which is {script} for this script"
    if role is None:
        return 'greynb.get_conn() to read, greynb.get_conn("staging") to write'
    return "greynb.get_conn(), read-only" if role == "analytics" else 'greynb.get_conn("staging")'


def _opened(script: Script) -> Iterator[Found]:
    for call, opened in script.openings:
        place = script.module.place(call)
        target = opened.target
        if opened.kind == "helper":
            written = target.place
            if written is None or written in script.defaults or written.line in script.told or script.is_test:
                continue
            script.told.add(written.line)
            yield _in_code(target, written, script.role, f"given to {opened.how}")
        elif target.kind != "temporary" and not (script.is_test and target.kind != "ours"):
            if target.place and target.place.line in range(place.line, place.last_line + 1):
                script.told.add(target.place.line)
            yield _raw(script, call, opened, place)


def _raw(script: Script, call: ast.Call, opened: Opening, place: Place) -> Found:
    target = opened.target
    if target.kind == "other":
        return Found(
            "raw-connect",
            place,
            f"{opened.how} opens {target.name}, which is neither staging nor analytics",
            "nothing, if the database is the script's own; else greynb.get_conn()",
            "note",
        )
    what = target.name or ast.unparse(call.args[0] if call.args else call)[:60]
    function = script.module.scope(call)
    if isinstance(function, ast.FunctionDef) and function.name in (
        "open_sqlite_readonly",
        "open_sqlite_writable",
    ):
        suggestion = f"from greynb.db_utils import {function.name}"
    else:
        suggestion = instead(target.role, script.role)
    return Found(
        "raw-connect",
        place,
        f"{opened.how} opens {what} past greynb's routing",
        suggestion,
        "note" if script.is_test else None,
    )


def _attached(script: Script) -> Iterator[Found]:
    for call, node in script.executed:
        sql = known_text(script.flow.value(node))
        for _, path in attached(sql or ""):
            target = named(path, None)
            if target.kind in ("ours", "other") and looks_like_file(path):
                yield attachment(target, script.module.place(call))


def attachment(target: Target, place: Place) -> Found:
    """A database file that SQL attaches by its name."""
    return Found(
        "raw-connect",
        place,
        f"the SQL opens {target.name} by its name",
        "a connection of greynb for each role; analytics need not attach: it holds staging's tables",
        None if target.kind == "ours" else "note",
    )


def _copied(script: Script) -> Iterator[Found]:
    for call in script.module.calls():
        name = script.module.dotted(call.func)
        if name not in _COPIERS or len(call.args) < 2:
            continue
        found = [target_of(script.flow.value(each)) for each in call.args[:2]]
        if any(each.kind == "temporary" for each in found) or found[0].kind not in ("ours", "other"):
            continue
        if not (found[0].kind == "ours" or looks_like_file(found[0].name or "")):
            continue
        script.told |= {each.place.line for each in found if each.place}
        yield copied(name, found[0], found[1], script.module.place(call))


def copied(how: str, source: Target, copy: Target, place: Place) -> Found:
    """A database file that is copied, moved or linked as a file."""
    onto = f" onto {copy.name or copy.role}" if copy.kind == "ours" else ""
    what = source.name or f"the database of {source.role or 'both roles'}"
    return Found(
        "copied-database",
        place,
        f"{how} takes {what}{onto} as a plain file; "
        "under a writer the copy is corrupt or lacks the newest rows",
        "greynb sync to publish; sqlite3.Connection.backup() or sqlite3 FILE '.backup COPY' to save",
        None if source.kind == "ours" else "note",
    )


def _written(script: Script) -> Iterator[Found]:
    """Paths in the code that reach no call above: defaults of parameters and options, names of settings."""
    for node in script.module.all(ast.Constant):
        assert isinstance(node, ast.Constant)
        if not isinstance(node.value, str) or len(node.value) > 300 or node.lineno in script.told:
            continue
        if not looks_like_file(node.value) or not _is_path(script, node):
            continue
        place = script.module.place(node)
        target = _whole(script, node)
        if place in script.defaults:
            continue
        if (
            target.kind not in ("ours", "other")
            or script.is_test
            or (target.kind == "other" and not _means_file(script, node))
        ):
            continue
        script.told.add(node.lineno)
        yield _in_code(target, place, script.role, "written in the code")


def _whole(script: Script, node: ast.Constant) -> Target:
    """What a path names, with what stands before it in a join where that is known."""
    parent = script.module.parents.get(node)
    if isinstance(parent, ast.BinOp | ast.Call):
        value = script.flow.value(parent)
        if isinstance(value, Temporary) or (isinstance(value, Text) and value.known):
            return target_of(value)
    return named(str(node.value), script.module.place(node))


def _in_code(target: Target, place: Place, script: Role | None, how: str) -> Found:
    if target.kind == "other":
        return Found(
            "hardcoded-path",
            place,
            f"{target.name} is {how}; it is neither staging nor analytics",
            "an argument or a setting, if it differs between machines",
            "note",
        )
    return Found("hardcoded-path", place, f"{target.name} is {how}", instead(target.role, script))


def _is_path(script: Script, node: ast.Constant) -> bool:
    """Whether a constant is used as a path, and not compared, printed, documented or matched."""
    for parent in script.module.above(node):
        if isinstance(
            parent, ast.Compare | ast.Expr | ast.JoinedStr | ast.Assert | ast.Raise | ast.Subscript
        ):
            return isinstance(parent, ast.Expr) and isinstance(parent.value, ast.Call)
        if isinstance(parent, ast.Call):
            function = parent.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if name in _SAID or name in (
                "endswith",
                "startswith",
                "glob",
                "rglob",
                "fnmatch",
                "match",
                "compile",
            ):
                return False
        if isinstance(parent, ast.stmt):
            return True
    return True


def _means_file(script: Script, node: ast.Constant) -> bool:
    """Whether the name that gets a path says that it is a database."""
    before: ast.AST = node
    for parent in script.module.above(node):
        names: list[str] = []
        if isinstance(parent, ast.Assign):
            names = [ast.unparse(each) for each in parent.targets]
        elif isinstance(parent, ast.AnnAssign):
            names = [ast.unparse(parent.target)]
        elif isinstance(parent, ast.keyword):
            names = [parent.arg or ""]
        elif isinstance(parent, ast.arguments):
            names = _defaulted(parent, before)
        if any(
            "db" in name.lower() or "database" in name.lower() or "sqlite" in name.lower() for name in names
        ):
            return True
        if isinstance(parent, ast.stmt):
            return False
        before = parent
    return False


def _defaulted(arguments: ast.arguments, default: ast.AST) -> list[str]:
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = [*zip(reversed(positional), reversed(arguments.defaults), strict=False)]
    pairs += [
        (one, each) for one, each in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if each
    ]
    return [argument.arg for argument, each in pairs if each is default]
