"""Saving a document: each format by its suffix, all made aside, then put in their places."""

from __future__ import annotations

import shutil
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Final

from greynb.errors import UsageError
from greynb.report.document.document import Document

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
    check(*paths, force=force)
    with tempfile.TemporaryDirectory() as made:
        folders = []
        for number, path in enumerate(paths):
            folder = Path(made, str(number))
            folder.mkdir()
            import_module(RENDERERS[path.suffix.lower()]).write(document, folder / path.name)
            folders.append(folder)
        for folder, path in zip(folders, paths, strict=True):
            _put(folder, path)
    return tuple(paths)


def check(*paths: Path, force: bool) -> None:
    """Refuse what could not be saved, before any work is done for it.

    Raises
    ------
    UsageError
        As `save` does.
    """
    if not paths:
        raise UsageError("no file to save to", hint='give a path, such as "report.html"')
    for path in paths:
        if path.suffix.lower() not in RENDERERS:
            known = ", ".join(RENDERERS)
            raise UsageError(f"no format for {path.name}", hint=f"the suffix decides: {known}")
        if path.is_dir():
            raise UsageError(f"{path.name} is a folder", path=path)
        if path.exists() and not force:
            raise UsageError(
                f"{path.name} is already there",
                path=path,
                hint="choose another name, or force=True (--force)",
            )


def _put(folder: Path, path: Path) -> None:
    """Move what was made beside the place, then into it by renaming: first what goes along, then the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-", suffix=".part"))
    try:
        for each in folder.iterdir():
            shutil.move(each, aside / each.name)
        for each in sorted(aside.iterdir(), key=lambda found: found.name == path.name):
            place = path.with_name(each.name)
            if place.is_dir():
                place.rename(aside / f"{each.name}-before")
            each.replace(place)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
