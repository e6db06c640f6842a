"""A seal on a page, so that a page that was edited after it was made is told from one that was not.

It is a SHA-256 of the page's text without the seal itself. It tells of edits by hand or by accident; whoever
wants to deceive can compute a new one, which is why `greynb verify` also runs the queries again.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

_SEAL: Final = re.compile(r'<meta name="greynb-seal" content="([0-9a-f]{64})">\n')
_HEAD_END: Final = "</head>"


def seal(html: str) -> str:
    """Put a seal into a page's head, in place of one that is there; the page must not change after it."""
    page = _SEAL.sub("", html)
    mark = f'<meta name="greynb-seal" content="{_digest(page)}">\n'
    before, end, after = page.partition(_HEAD_END)
    return f"{before}{mark}{end}{after}" if end else mark + page


def has_seal(html: str) -> bool:
    """Whether a page has been sealed."""
    return _SEAL.search(_unix(html)) is not None


def seal_holds(html: str) -> bool:
    """Whether a page is as it was sealed; False also where it has no seal, or several."""
    page = _unix(html)
    found = _SEAL.findall(page)
    return len(found) == 1 and found[0] == _digest(_SEAL.sub("", page))


def _digest(page: str) -> str:
    return hashlib.sha256(_unix(page).encode("utf-8", "surrogatepass")).hexdigest()


def _unix(page: str) -> str:
    """Line ends as on Unix: mail and version control may change them."""
    return page.replace("\r\n", "\n")
