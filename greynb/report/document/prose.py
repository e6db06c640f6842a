"""Markdown, read once by mistune and written as HTML or as a plain tree for the PDF.

HTML in it is left out, its text stays: a document is the same in every format, and no script or picture
from elsewhere gets in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html import escape, unescape
from typing import Any

from greynb.errors import UsageError
from greynb.report.document.blocks import Heading, Text

_PLUGINS = ["table", "strikethrough"]
_INSTALL = 'pip install "greynb[report]"'
_TAG = re.compile(r"<!--.*?-->|<[^>]*>", re.DOTALL)
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~$#&])")
_LINE_END = re.compile(r"\r\n?|\n")
_LINE_START = re.compile(r"^(\s*(?:\d+(?=[.)]))?)([-+=.)])(?=\s|$|-|=)")
_WEB = ("https://", "http://", "mailto:")


def as_html(markdown: str) -> str:
    """Write Markdown as HTML."""
    return str(_html_parser()(markdown))


def as_tree(markdown: str) -> list[dict[str, Any]]:
    """Read Markdown as a tree of plain JSON: ``type``, ``children`` or ``text``, and a few attributes."""
    return [_node(token) for token in _tree_parser()(markdown)]


def lines(markdown: str) -> Iterator[str]:
    """Give the paragraphs and items of a text without their marks, for where there is only plain text."""
    for node in as_tree(markdown):
        yield from _lines(node, "")


def _lines(node: dict[str, Any], before: str) -> Iterator[str]:
    kind, children = node["type"], node.get("children", [])
    if kind == "list":
        for number, item in enumerate(children, start=node["start"]):
            mark = f"{number}. " if node["ordered"] else "\u2022 "
            for place, part in enumerate(item["children"]):
                yield from _lines(part, before + (mark if place == 0 else "   "))
    elif kind in ("block_quote", "table", "table_body"):
        for child in children:
            yield from _lines(child, before)
    elif kind in ("table_head", "table_row"):
        yield before + "   ".join(_words(cell) for cell in children)
    elif words := _words(node).strip("\n"):
        yield before + words


def plain(markdown: str) -> str:
    """Give the words of one line of Markdown without their marks."""
    return "".join(_words(node) for node in as_tree(markdown)).strip()


def escaped(text: str) -> str:
    """Write a text so that Markdown shows it as it is; line breaks become spaces."""
    one_line = _LINE_END.sub(" ", text)
    return _LINE_START.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", one_line))


def split(markdown: str) -> Iterator[Heading | Text]:
    """Take Markdown apart at its headings (``#`` to ``######``), so that they can be numbered and linked."""
    lines: list[str] = []
    fence = ""
    for line in markdown.splitlines():
        if (mark := _FENCE.match(line)) and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
        heading = None if fence else _ATX.match(line)
        if heading is None:
            lines.append(line)
            continue
        yield from _text(lines)
        lines = []
        yield Heading(plain(heading[2] or ""), len(heading[1]))
    yield from _text(lines)


def _text(lines: list[str]) -> Iterator[Text]:
    if text := "\n".join(lines).strip("\n"):
        yield Text(text)


@cache
def _html_parser() -> Any:
    try:
        import mistune
    except ImportError as error:
        raise UsageError("Markdown cannot be read here", hint=_INSTALL) from error

    class Prose(mistune.HTMLRenderer):
        """Leaves HTML and pictures from elsewhere out; a heading inside a text is a bold line."""

        def text(self, text: str) -> str:
            return escape(unescape(text))

        def heading(self, text: str, level: int, **attrs: Any) -> str:
            return f"<p><strong>{text}</strong></p>\n"

        def inline_html(self, html: str) -> str:
            return ""

        def block_html(self, html: str) -> str:
            text = _without_tags(html)
            return f"<p>{escape(text)}</p>\n" if text else ""

        def image(self, text: str, url: str, title: str | None = None) -> str:
            if not url.startswith("data:image/"):
                return text
            return f'<img src="{escape(url)}" alt="{escape(unescape(_TAG.sub("", text)))}">'

    return mistune.create_markdown(renderer=Prose(escape=True), plugins=_PLUGINS)


@cache
def _tree_parser() -> Any:
    try:
        import mistune
    except ImportError as error:
        raise UsageError("Markdown cannot be read here", hint=_INSTALL) from error
    return mistune.create_markdown(renderer="ast", plugins=_PLUGINS)


def _without_tags(html: str) -> str:
    return unescape(_TAG.sub("", html)).strip()


def _node(token: dict[str, Any]) -> dict[str, Any]:
    kind, attrs = token["type"], token.get("attrs") or {}
    if kind == "block_html":
        words = _without_tags(token["raw"])
        return {"type": "paragraph", "children": [{"type": "text", "text": words}] if words else []}
    if kind == "inline_html":
        return {"type": "text", "text": ""}
    node: dict[str, Any] = {"type": kind}
    if "raw" in token:
        node["text"] = unescape(token["raw"]) if kind == "text" else token["raw"]
    if "children" in token:
        node["children"] = [_node(child) for child in token["children"]]
    if kind == "link":
        node["url"] = attrs["url"] if attrs["url"].startswith(_WEB) else ""
    if kind == "list":
        node |= {"ordered": bool(attrs.get("ordered")), "start": int(attrs.get("start", 1))}
    if kind == "table_cell":
        node["align"] = attrs.get("align")
    return node


def _words(node: dict[str, Any]) -> str:
    if node["type"] in ("softbreak", "linebreak"):
        return " "
    return str(node["text"]) if "text" in node else "".join(_words(each) for each in node.get("children", []))
