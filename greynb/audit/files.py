"""Which files are read, as what, and their text."""

from __future__ import annotations

import io
import os
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from greynb.errors import UsageError

Language = Literal["python", "shell", "notebook", "sql"]

_SUFFIXES: dict[str, Language] = {
    ".py": "python",
    ".pyw": "python",
    ".sh": "shell",
    ".bash": "shell",
    ".ipynb": "notebook",
    ".sql": "sql",
}
_LARGEST: dict[Language, int] = {  # bytes
    "python": 2_000_000,
    "shell": 1_000_000,
    "notebook": 50_000_000,  # mostly pictures
    "sql": 2_000_000,
}
# Folders of tools, not of the project.
_PASSED = {
    *("__pycache__", "node_modules", "site-packages", "venv", "env", "build", "dist"),
    *(".git", ".hg", ".svn", ".venv", ".tox", ".nox", ".mypy_cache", ".ruff_cache", ".pytest_cache"),
    *(".ipynb_checkpoints", ".eggs", ".cache"),
}


class Unreadable(Exception):
    """Why a file is not read, in words for a note."""


def found(paths: Sequence[str | os.PathLike[str]]) -> Iterator[tuple[Path, Language]]:
    """The files below paths, sorted, each once; a path that is a file is read whatever its folder is.

    Links to folders are not followed, so that loops end.

    Raises
    ------
    UsageError
        A path does not exist.
    """
    seen: set[Path] = set()
    for given in paths:
        path = Path(given)
        if path.is_dir():
            every = list(_below(path))
        elif path.exists():
            every = [path]
        else:
            raise UsageError(f"there is no file or folder {path}", hint="name files or folders that exist")
        for each in every:
            if each not in seen and (language := language_of(each)):
                seen.add(each)
                yield each, language


def _below(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(each for each in folders if each not in _PASSED)
        if "pyvenv.cfg" in files:
            folders[:] = []
            continue
        yield from (Path(where) / each for each in sorted(files))


def language_of(path: Path) -> Language | None:
    """The language of a file: by its suffix, else by its first line (``#!/bin/bash``)."""
    if path.suffix:
        return _SUFFIXES.get(path.suffix.lower())
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            first = file.readline(200)
    except OSError:
        return None
    if not first.startswith(b"#!"):
        return None
    words = first[2:].replace(b"/", b" ").split()
    if any(word.startswith(b"python") for word in words):
        return "python"
    return "shell" if {b"sh", b"bash", b"zsh", b"dash", b"ksh"} & set(words) else None


def text_of(path: Path, language: Language) -> str:
    """The text of a file.

    Raises
    ------
    Unreadable
        It is no regular file, too large, binary, or not permitted.
    """
    try:
        if not path.is_file():
            raise Unreadable("it is no regular file")
        if (size := path.stat().st_size) > _LARGEST[language]:
            raise Unreadable(f"it is larger than {_LARGEST[language] / 1e6:g} MB ({size / 1e6:.1f} MB)")
        raw = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror or error}") from error
    if b"\0" in raw:
        raise Unreadable("it is binary")
    return _decoded(raw, language).replace("\r\n", "\n").replace("\r", "\n")


def _decoded(raw: bytes, language: Language) -> str:
    if language == "python":
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
            return raw.decode(encoding)
        except (SyntaxError, UnicodeDecodeError, LookupError):
            pass
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")  # every byte is a letter there: names and SQL are ASCII all the same
