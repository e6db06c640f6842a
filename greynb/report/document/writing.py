"""Saving a document: each format by its suffix, all made aside, then put in their places."""

from __future__ import annotations

import shutil
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Final

from greynb.errors import UsageError
from greynb.report.document import markdown
from greynb.report.document.document import Document
from greynb.report.exports.files import destination, readable_errors

RENDERERS: Final = {
    ".html": "greynb.report.document.html",
    ".pdf": "greynb.report.document.pdf",
    ".xlsx": "greynb.report.document.excel",
    ".md": "greynb.report.document.markdown",
}
"""Suffix → module with ``write(document, path)``; what it makes beside the path goes along."""


def save(document: Document, *paths: Path, force: bool = False) -> tuple[Path, ...]:
    """Write a document to each path in the format of its suffix.

    Raises
    ------
    UsageError
        No path, an unknown suffix, or a file that is there without `force`.
    """
    places = check(*paths, force=force)
    with readable_errors(), tempfile.TemporaryDirectory() as made:
        folders = []
        for number, path in enumerate(places):
            folder = Path(made, str(number))
            folder.mkdir()
            import_module(RENDERERS[path.suffix.lower()]).write(document, folder / path.name)
            folders.append(folder)
        check(*paths, force=force)  # again: somebody may have put a file there meanwhile
        for folder, path in zip(folders, places, strict=True):
            with readable_errors(path):
                _put(folder, path)
    return places


def check(*paths: Path, force: bool) -> tuple[Path, ...]:
    """Refuse what could not be saved, before any work is done for it, and give the paths in full.

    Raises
    ------
    UsageError
        As `save` does.
    """
    if not paths:
        raise UsageError("no file to save to", hint='give a path, such as "report.html"')
    places = tuple(destination(path) for path in paths)
    for path in places:
        if path.suffix.lower() not in RENDERERS:
            known = ", ".join(RENDERERS)
            raise UsageError(f"no format for {path.name}", hint=f"the suffix decides: {known}")
        there = [each for each in (path, *_companions(path)) if each.exists()]
        if there and not force:
            hint = "choose another name, or replace it: force=True (--force)"
            raise UsageError(f"{there[0].name} is already there", path=there[0], hint=hint)
    return places


def _companions(path: Path) -> tuple[Path, ...]:
    return markdown.companions(path) if path.suffix.lower() == ".md" else ()


def _put(folder: Path, path: Path) -> None:
    """Move what was made beside the place, then into it by renaming: first what goes along, then the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-", suffix=".part"))
    try:
        made = [each.relative_to(folder) for each in folder.rglob("*") if each.is_file()]
        for each in made:  # not copytree, which gathers its errors in a list of tuples
            (aside / each).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / each, aside / each)
        for each in sorted(made, key=lambda found: found == Path(path.name)):
            (path.parent / each).parent.mkdir(exist_ok=True)
            (aside / each).replace(path.parent / each)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
