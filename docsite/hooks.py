"""The events of MkDocs: pages that are generated, links out of docs/, what pages run, and what is checked."""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from docsite import ROOT, reference, repository, running, troubleshooting

_ELSEWHERE = re.compile(r"""<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=["']?(?:https?:)?//[^"'>\s]+""")


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


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fill in what is generated, point links to the repository into the site, and run what is to be run."""
    name = page.file.src_uri
    markdown = repository.within_site(markdown, repository.file_of(name))
    markdown = reference.filled(markdown)
    if name.startswith(troubleshooting.FOLDER):
        markdown = troubleshooting.with_places(markdown)
    page.meta["outputs"] = running.Outputs()
    try:
        return running.with_outputs(markdown, page.meta.get("start"), page.meta["outputs"])
    except (RuntimeError, ValueError) as error:
        raise PluginError(f"{name}: {error}") from error


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put the outputs of cells into their places."""
    return str(page.meta["outputs"].fill(html))


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
