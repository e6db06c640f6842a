"""The HTML of other libraries, reduced to what reads and cannot run, load or restyle anything."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser

_KEPT = frozenset(
    "b blockquote br caption code col colgroup dd del details div dl dt em figcaption figure h2 h3 h4 h5 h6"
    " hr i ins kbd li mark ol p pre q s samp section small span strong sub summary sup table tbody td tfoot"
    " th thead tr u ul var".split()
)
_VOID = frozenset(("br", "col", "hr"))
_DROPPED = frozenset(
    "applet audio canvas form iframe math noscript object script style svg template title video".split()
)
_ATTRIBUTES = frozenset(("align", "colspan", "rowspan", "scope", "start", "title"))


def cleaned(html: str) -> str:
    """Keep text, tables and plain marks; leave out scripts, styles, handlers, and all that loads something.

    Every element that is left open is closed, and every stray end is dropped, so that the result cannot
    break the page around it.
    """
    cleaner = _Cleaner()
    cleaner.feed(html)
    cleaner.close()
    return cleaner.result()


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._open: list[str] = []
        self._dropping: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._dropping or tag in _DROPPED:
            self._dropping.append(tag)
        elif tag in _KEPT:
            kept = "".join(f' {name}="{escape(value or "")}"' for name, value in attrs if name in _ATTRIBUTES)
            self._out.append(f"<{tag}{kept}>")
            if tag not in _VOID:
                self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID and not self._dropping:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._dropping:
            if tag in self._dropping:
                while self._dropping.pop() != tag:
                    pass
        elif tag in self._open:
            while (last := self._open.pop()) != tag:
                self._out.append(f"</{last}>")
            self._out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._dropping:
            self._out.append(escape(data))

    def result(self) -> str:
        return "".join(self._out) + "".join(f"</{tag}>" for tag in reversed(self._open))
