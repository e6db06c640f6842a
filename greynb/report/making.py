"""`greynb report`: a notebook run with parameters, once or for several sets of them, and written out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from greynb.errors import UsageError
from greynb.report.document.blocks import Block, Heading, Text, Tiles
from greynb.report.document.document import Document
from greynb.report.document.fromnotebook import document_of
from greynb.report.document.prose import escaped
from greynb.report.document.writing import RENDERERS, check, save
from greynb.report.execute import NotebookFailed, execute_notebook, read_notebook
from greynb.report.parameters import chosen
from greynb.report.shipped import notebook

if TYPE_CHECKING:
    from greynb.publish.steps import Progress

INDEX = "index.html"


@dataclass(frozen=True, slots=True)
class _Plan:
    """One report to be made: the values of its parameters, and the files that it goes to."""

    values: Mapping[str, Any]
    paths: tuple[Path, ...]

    @property
    def subtitle(self) -> str:
        return " · ".join(f"{name} {_shown(value)}" for name, value in self.values.items())


def make_reports(
    name: str,
    *,
    formats: Sequence[str] = (),
    given: Sequence[str] = (),
    out: Path | None = None,
    show_code: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> tuple[Path, ...]:
    """Run a notebook and write its report; several sets of parameters make several reports and an index.

    The notebook runs in the working folder, in a kernel of this Python; its file is not changed. Each report
    is written when it is whole.

    Parameters
    ----------
    name
        The path of a notebook, or the bare name of one that comes with greynb, such as ``"evaluation"``.
    formats
        ``"html"``, ``"pdf"``, ``"xlsx"``, ``"md"``; without any, what `out` ends in, else ``"html"``.
    given
        Parameters as ``name=value``; a name given again makes another report.
    out
        A folder, made when needed, or the file of one report in one format; the working folder by default.
    show_code
        Whether the code of the cells is shown.
    force
        Whether files that are there are replaced.
    progress
        Called before each cell with what is being done and the share that is done, 0 to 1.

    Returns
    -------
    tuple of Path
        The files, the index first where there is one.

    Raises
    ------
    NotebookFailed
        A cell failed; no file of that report was written.
    UsageError
        An unknown notebook, format or parameter, or a file that is there; before anything is run.
    """
    path = _found(name)
    sets = chosen(read_notebook(path), given)
    plans = _plans(path.stem, sets, _suffixes(formats, out), out)
    index = plans[0].paths[0].with_name(INDEX) if len(plans) > 1 else None
    targets = [target for plan in plans for target in plan.paths] + ([index] if index else [])
    check(*targets, force=force)
    documents = []
    for plan in plans:
        document = _document(path, plan, show_code, progress)
        save(document, *plan.paths, force=force)
        documents.append(document)
    if index is None:
        return plans[0].paths
    save(_index(documents, plans), index, force=force)
    return (index, *(target for plan in plans for target in plan.paths))


def _found(name: str) -> Path:
    path = Path(name)
    if path.is_file():
        return path
    if path.name == name:
        return notebook(name if path.suffix else f"{name}.ipynb")
    raise UsageError("there is no such notebook", path=path)


def _suffixes(formats: Sequence[str], out: Path | None) -> list[str]:
    wished = [f".{each.lower().removeprefix('.')}" for each in formats]
    suffix = out.suffix.lower() if out and not out.is_dir() else ""
    if suffix in RENDERERS and wished in ([], [suffix]):
        return [suffix]
    if suffix in RENDERERS:
        raise UsageError(f"--out {out} is one file, --to names another format", hint="give --out a folder")
    unknown = [each.removeprefix(".") for each in wished if each not in RENDERERS]
    if unknown:
        known = ", ".join(each.removeprefix(".") for each in RENDERERS)
        raise UsageError(f"no format {unknown[0]!r}", hint=f"there are: {known}")
    return list(dict.fromkeys(wished)) or [".html"]


def _plans(
    stem: str, sets: Sequence[Mapping[str, Any]], suffixes: list[str], out: Path | None
) -> list[_Plan]:
    if out and not out.is_dir() and out.suffix.lower() in RENDERERS:
        if len(sets) > 1:
            raise UsageError(f"--out {out} is one file for {len(sets)} reports", hint="give --out a folder")
        return [_Plan(sets[0], (out,))]
    folder, taken, plans = out or Path(), {Path(INDEX).stem} if len(sets) > 1 else set(), []
    for values in sets:
        words = [stem, *(re.sub(r"[^\w.-]+", "-", _shown(value)).strip("-") for value in values.values())]
        wished = name = "_".join(word for word in words if word)
        number = 1
        while name.lower() in taken:
            number += 1
            name = f"{wished}_{number}"
        taken.add(name.lower())
        plans.append(_Plan(values, tuple(folder / f"{name}{suffix}" for suffix in suffixes)))
    return plans


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _document(path: Path, plan: _Plan, show_code: bool, progress: Progress | None) -> Document:
    def tell(step: str, share: float) -> None:
        if progress:
            progress(f"{step} ({plan.subtitle})" if plan.values else step, share)

    try:
        node = execute_notebook(path, cwd=Path.cwd(), parameters=plan.values, progress=tell)
    except NotebookFailed as error:
        if plan.values:
            error.message += f", with {plan.subtitle}"
        raise
    return document_of(node, show_code=show_code, subtitle=plan.subtitle)


def _index(documents: Sequence[Document], plans: Sequence[_Plan]) -> Document:
    """List the reports: for each its parameters, its first tiles, and links to its files."""
    blocks: list[Block] = []
    for document, plan in zip(documents, plans, strict=True):
        blocks.append(Heading(plan.subtitle))
        tiles = next((block for block in document.blocks if isinstance(block, Tiles)), None)
        if tiles:
            blocks.append(Tiles(tiles.tiles))
        links = [f"[{escaped(path.name)}]({quote(path.name)})" for path in plan.paths]
        blocks.append(Text(" · ".join(links)))
    first = documents[0]
    return Document(first.title, tuple(blocks), f"{len(plans)} reports", first.origin)
