"""Files of the repository that pages link to, as pages of the site."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from docsite import ROOT

FOLDER = "repository"  # of the site; holds what lies outside docs/

_LINK = re.compile(r"(?<=\]\()([^)\s#:]+)(?=[#)])")
_CODE = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)\s*$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_LANGUAGES = {".py": "python", ".sh": "bash", ".toml": "toml", ".yaml": "yaml", ".yml": "yaml"}


def place_of(file: Path) -> str:
    """Give where a file of the repository is in the site, as MkDocs names sources."""
    name = file.relative_to(ROOT).as_posix()
    if name.startswith("docs/"):
        return name.removeprefix("docs/")
    return f"{FOLDER}/{name}" + ("" if file.suffix in (".md", ".svg", ".png") else ".md")


def file_of(place: str) -> Path:
    """Give the file of the repository that a source of the site is, the other way round."""
    if not place.startswith(FOLDER + "/"):
        return ROOT / "docs" / place
    file = ROOT / place.removeprefix(FOLDER + "/")
    return file if file.is_file() else file.with_suffix("")


def linked(pages: Iterable[Path]) -> list[Path]:
    """Give the files outside docs/ that pages link to, directly or through such files."""
    found: dict[Path, None] = {}
    waiting = list(pages)
    while waiting:
        for target in targets(waiting.pop()):
            outside = target.is_relative_to(ROOT) and not target.is_relative_to(ROOT / "docs")
            if outside and target.is_file() and target not in found:
                found[target] = None
                waiting += [target] if target.suffix == ".md" else []
    return list(found)


def targets(page: Path) -> list[Path]:
    """Give the files that the relative links of a page mean."""
    found: list[Path] = []

    def kept(target: Path) -> str:
        found.append(target)
        return ""

    relinked(page.read_text("utf-8"), page.parent, kept)
    return found


def page_of(file: Path) -> str:
    """Give a file as Markdown: itself where it is that, else its text as code."""
    text = file.read_text("utf-8")
    if file.suffix == ".md":
        return text
    name, language = file.relative_to(ROOT).as_posix(), _LANGUAGES.get(file.suffix, "text")
    return f"---\nsearch: {{ exclude: true }}\n---\n# {name}\n\n````{language}\n{text}\n````\n"


def within_site(text: str, file: Path) -> str:
    """Point the relative links of a file of the repository to where their targets are in the site."""
    here = posixpath.dirname(place_of(file))
    return relinked(text, file.parent, lambda target: posixpath.relpath(place_of(target), here))


def relinked(text: str, folder: Path, new: Callable[[Path], str]) -> str:
    """Replace each relative link outside code; `new` gets the file that it means, seen from `folder`."""

    def replaced(part: str) -> str:
        return _LINK.sub(lambda found: _replaced(found[0], folder, new), part)

    parts, at = [], 0
    for code in _CODE.finditer(text):
        parts += [replaced(text[at : code.start()]), code[0]]
        at = code.end()
    return "".join([*parts, replaced(text[at:])])


def _replaced(link: str, folder: Path, new: Callable[[Path], str]) -> str:
    target = Path(os.path.normpath(folder / link))
    return new(target) if target.is_relative_to(ROOT) else link
