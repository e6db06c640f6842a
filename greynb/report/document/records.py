"""The record that a file carries of everything that went into it, for `greynb verify` and for the curious."""

from __future__ import annotations

import json
from typing import Any

from greynb import __version__
from greynb.report.document.document import Document


def record(document: Document) -> dict[str, Any]:
    """What PDF, Excel and Markdown carry: title, time, and the sources one after the other."""
    return {
        "greynb": __version__,
        "title": document.title,
        "time": document.made.isoformat(timespec="seconds"),
        "sources": [source.as_dict() for source in document.sources],
    }


def as_json(value: Any) -> str:
    """Write plain JSON in one line, the same every time."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def as_scripts(document: Document) -> str:
    """What a page carries: one data block per source, which no browser runs."""
    return "\n".join(
        f'<script type="application/json" class="greynb-source">{_inside(source.as_dict())}</script>'
        for source in document.sources
    )


def _inside(value: Any) -> str:
    """Keep a text from ending or opening an element."""
    return as_json(value).replace("<", "\\u003c")
