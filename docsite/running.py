"""Blocks of pages that are run when the site is built: what they print is what the reader sees.

After the language of a fenced block stands what to do with it:

- ``console run``: each line that begins with ``$`` is a command; ``exit=3``: the code expected of the last.
- ``sql cell``, ``python cell``: a cell of a notebook; with ``error``, one that is expected to fail.
- ``… save``: the block is saved as the file that its ``title`` names.

The front matter of such a page says where it begins: ``start: demo`` in a season that was published once,
``start: repository`` in a clone with nothing installed, ``start: empty`` in an empty folder.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

from docsite.sessions import Session, started

_BLOCK = re.compile(r"^```(\w+) ([^\n]*\b(?:run|cell|save)\b[^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PLACE = re.compile(r'(<div class="output") data-output="(\d+)">')


@dataclass
class Ran:
    """A page with what its blocks printed.

    Attributes
    ----------
    markdown
        The page; in place of outputs that are HTML already stand empty elements.
    html
        Those outputs.
    """

    markdown: str = ""
    html: list[str] = field(default_factory=list)

    def fill(self, page: str) -> str:
        """Put the outputs into the page that Markdown made."""
        return _PLACE.sub(lambda each: f"{each[1]}>{self.html[int(each[2])]}", page)


def ran(markdown: str, start: str) -> Ran:
    """Run the blocks of a page, in their order.

    Raises
    ------
    RuntimeError
        A command or cell failed, or did not fail as it should.
    """
    page = Ran()
    with started(start) as session:
        page.markdown = _BLOCK.sub(lambda block: _ran(block, session, page.html), markdown)
    return page


def _ran(block: re.Match[str], session: Session, outputs: list[str]) -> str:
    language, text = block[1], block[3]
    words = dict(word.partition("=")[::2] for word in shlex.split(block[2]))
    if "run" in words:
        printed = session.console(text, int(words.get("exit") or 0))
        return f'<div class="ran" markdown>\n\n```console\n{printed}\n```\n\n</div>'
    title = f' title="{words["title"]}"' if "title" in words else ""
    shown = f"```{language}{title}\n{text}```"
    if "save" in words:
        session.save(words["title"], text)
        return shown
    if html := session.cell(text.strip("\n"), fails="error" in words):
        outputs.append(html)
        shown += f'\n\n<div class="output" data-output="{len(outputs) - 1}"></div>'
    return f'<div class="ran" markdown>\n\n{shown}\n\n</div>'
