"""The events of MkDocs: pages that are generated, links out of docs/, what pages run, and what is checked."""

from __future__ import annotations

import re
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.utils.meta import get_data

from docsite import ROOT, reference, repository, running, troubleshooting

_ELSEWHERE = re.compile(r"""<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=["']?(?:https?:)?//[^"'>\s]+""")


_RUN: dict[str, Future[running.Ran]] = {}  # of the build that is being made, by the name of the page


def on_config(config: MkDocsConfig) -> None:
    """Give a page that nobody has placed a place at the end of the reference."""
    listed = set(re.findall(r"[\w/-]+\.md", str(config.nav)))
    (section,) = (each["Reference"] for each in config.nav or [] if "Reference" in each)
    pages = sorted(
        path.relative_to(config.docs_dir).as_posix() for path in Path(config.docs_dir).rglob("*.md")
    )
    section += [name for name in pages if name not in listed]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what pages link to outside docs/."""
    for file in repository.linked(
        [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"]
    ):
        _add(file, files, config)
    _add(ROOT / "CHANGELOG.md", files, config)
    return files


def _add(file: Path, files: Files, config: MkDocsConfig) -> None:
    place = repository.place_of(file)
    if files.get_file_from_path(place) is None:
        content: str | bytes = repository.page_of(file) if place.endswith(".md") else file.read_bytes()
        files.append(File.generated(config, place, content=content))


def on_env(env: object, config: MkDocsConfig, files: Files) -> None:
    """Forget what was run: the next build, of ``mkdocs serve``, runs it again."""
    _RUN.clear()


def _begun(files: Files) -> dict[str, Future[running.Ran]]:
    """Begin to run the pages that run something, two at a time."""
    pool = ThreadPoolExecutor(2)
    starts = {
        file.src_uri: (text, meta["start"])
        for file in files.documentation_pages()
        for text, meta in [get_data(file.content_string)]
        if "start" in meta
    }
    return {
        name: pool.submit(running.ran, _prepared(text, name), start) for name, (text, start) in starts.items()
    }


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fill in what is generated, point links to the repository into the site, and add what was printed."""
    if not _RUN:
        _RUN.update(_begun(files))
    if page.file.src_uri not in _RUN:
        return _prepared(markdown, page.file.src_uri)
    try:
        return _RUN[page.file.src_uri].result().markdown
    except RuntimeError as error:
        raise PluginError(f"{page.file.src_uri}: {error}") from error


def _prepared(markdown: str, name: str) -> str:
    markdown = repository.within_site(markdown, repository.file_of(name))
    markdown = reference.filled(markdown)
    return troubleshooting.with_places(markdown) if name.startswith(troubleshooting.FOLDER) else markdown


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put the outputs of cells into their places."""
    run = _RUN.get(page.file.src_uri)
    return run.result().fill(html) if run else html


def on_post_build(config: MkDocsConfig) -> None:
    """Refuse a site that would load anything from elsewhere."""
    site = Path(config.site_dir)
    found = {
        f"{path.relative_to(site)}: {tag[0]}"
        for path in site.rglob("*.html")
        for tag in _ELSEWHERE.finditer(path.read_text("utf-8"))
    }
    if found:
        raise PluginError("the site would load from elsewhere:\n" + "\n".join(sorted(found)))
