"""An error of greynb as one short block."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from greynb.notebook.values import on_one_line

if TYPE_CHECKING:
    from greynb.errors import GreynbError


def short_error(error: GreynbError) -> dict[str, str]:
    """Give what went wrong, where, and what to do, without Python's traceback.

    Returns
    -------
    dict
        MIME type to text: ``text/plain`` and ``text/html``. The lines of the error stay (a caret stands
        under its place); control characters are made visible.
    """
    lines = [
        on_one_line(line.replace("\t", "    ")) for line in f"{type(error).__name__}: {error}".splitlines()
    ]
    text = "\n".join(lines)
    return {"text/plain": text, "text/html": f'<pre role="alert">{escape(text)}</pre>'}
