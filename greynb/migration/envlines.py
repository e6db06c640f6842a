"""Changing single variables of a ``.env`` file without losing anything else that is in it."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from greynb.errors import UsageError
from greynb.publish.durable import sync_folder

if TYPE_CHECKING:
    from dotenv.parser import Binding

_PLAIN: Final = re.compile(r"[\w./\\:+@,~%-]+", re.ASCII)
_MODE: Final = 0o666
_BOM: Final = "\ufeff"
_BACKUP: Final = ".before-migrate"


def write(path: Path, variables: Mapping[str, str]) -> Path | None:
    """Set variables in a ``.env`` file, in one step; the file that was there is kept beside it.

    A line that set another value stays as a comment above the new one. Everything else stays byte for byte,
    as do mode, line endings and owner (as far as this user may set it). A symbolic link is followed.

    Parameters
    ----------
    path
        The file; created where there is none.
    variables
        Values by name.

    Returns
    -------
    Path or None
        Where the old file is kept; None where there was none, or nothing to change.

    Raises
    ------
    UsageError
        The file or a value is such that the variables cannot be added safely, or it was changed meanwhile.
    OSError
        It cannot be written.
    """
    path = path.resolve()
    old = path.read_bytes() if path.exists() else None
    text = _decoded(path, old or b"")
    new = rewritten(text, variables, path)
    if new == text:
        return None
    kept = _keep(path, old) if old is not None else None
    aside = path.with_name(f"{path.name}.greynb-new")
    aside.unlink(missing_ok=True)
    _create(aside, new.encode("utf-8"), path.stat() if old is not None else None)
    if old is not None and path.read_bytes() != old:
        aside.unlink()
        raise UsageError("somebody changed the file just now", path=path, hint="run it again")
    aside.replace(path)
    sync_folder(path.parent)
    return kept


def rewritten(text: str, variables: Mapping[str, str], path: Path) -> str:
    """The text of a ``.env`` file with variables set; raises like `write`."""
    from dotenv.parser import parse_stream

    bindings = list(parse_stream(io.StringIO(text.removeprefix(_BOM))))
    last = {each.key: number for number, each in enumerate(bindings) if each.key}
    newline = "\r\n" if "\r\n" in text else "\n"
    parts = [_BOM] if text.startswith(_BOM) else []
    for number, each in enumerate(bindings):
        name = each.key or ""
        wanted = variables.get(name)
        if wanted is None or last[name] != number or each.value == wanted:
            parts.append(each.original.string)
        else:
            parts += [_commented(each.original.string, newline), f"{name}={_quoted(wanted)}{newline}"]
    if parts and not parts[-1].endswith(("\n", "\r")) and set(variables) - set(last):
        parts.append(newline)
    parts += [f"{name}={_quoted(value)}{newline}" for name, value in variables.items() if name not in last]
    new = "".join(parts)
    _check(bindings, new.removeprefix(_BOM), variables, path)
    return new


def _commented(assignment: str, newline: str) -> str:
    """An assignment, which may be of several lines, as comments; blank lines above it stay."""
    bare = assignment.lstrip()
    lead = assignment[: len(assignment) - len(bare)]
    lines = [f"# {line}" for line in bare.splitlines(keepends=True)]
    text = lead + "".join(lines)
    return text if text.endswith(("\n", "\r")) else text + newline


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _check(bindings: list[Binding], new: str, variables: Mapping[str, str], path: Path) -> None:
    """Read the new text back: an open quote somewhere above could have swallowed what was added."""
    from dotenv.parser import parse_stream

    def others(found: list[Binding]) -> list[tuple[str | None, str | None]]:
        return [(each.key, each.value) for each in found if each.key and each.key not in variables]

    again = list(parse_stream(io.StringIO(new)))
    values = {each.key: each.value for each in again if each.key in variables}
    unsafe = any("${" in value or "\n" in value or "\r" in value for value in variables.values())
    if unsafe or values != dict(variables) or others(again) != others(bindings):
        lines = "\n".join(f"{name}={value}" for name, value in variables.items())
        raise UsageError(
            "the variables cannot be added to this file without harm: a quote in it may be left open",
            detail=lines,
            path=path,
            hint="set these variables there yourself, then run it again",
        )


def _decoded(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"the file is not UTF-8 ({error})", path=path, hint="convert it first") from error


def _keep(path: Path, data: bytes) -> Path:
    """Write what was there beside it, under a name that is free or holds the same."""
    number = 1
    while True:
        kept = path.with_name(f"{path.name}{_BACKUP}{'' if number == 1 else f'-{number}'}")
        if not kept.exists():
            # Nobody else looks for a name like this, and what is renamed is whole.
            aside = path.with_name(f"{path.name}.greynb-new")
            aside.unlink(missing_ok=True)
            _create(aside, data, path.stat())
            aside.rename(kept)
            return kept
        if kept.read_bytes() == data:
            return kept
        number += 1


def _create(path: Path, data: bytes, like: os.stat_result | None) -> None:
    """Write a new file durably, never more readable than the one that it is like."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if like else _MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        if like is not None and os.name != "nt":
            with suppress(PermissionError):
                os.fchown(file.fileno(), like.st_uid, like.st_gid)
            os.fchmod(file.fileno(), like.st_mode & 0o7777)
        file.flush()
        os.fsync(file.fileno())
