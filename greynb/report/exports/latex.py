r"""A LaTeX table over as many pages as it needs: ``longtable`` with the rules of ``booktabs``.

The file is for ``\input``; its first lines name the packages. All signs with a meaning in LaTeX are
escaped. pandas' own writer (`Styler.to_latex`) does the same cell by cell in Python, which takes minutes
for what this writes in a second, and leaves line breaks in the rows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from greynb.report.exports.job import Job, Written, in_order
from greynb.report.exports.tables import Table
from greynb.report.exports.texts import TEXT, is_number, join, readable, replaced, rewritten, texts, write

_SIGNS = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        '"': r"\textquotedbl{}",
        "`": r"\textasciigrave{}",
        "'": r"\textquotesingle{}",
        "-": "{-}",  # two hyphens would become a dash
        **{sign: f"\\{sign}" for sign in "&%$#_{}"},
        "\r": " ",
        "\n": " ",
        "\t": " ",
    }
)
_HEAD = r"""% \usepackage{{booktabs,longtable,textcomp}} and, for \textquotedbl, \usepackage[T1]{{fontenc}}
\begin{{longtable}}{{{columns}}}
\toprule
{names} \\
\midrule
\endhead
\midrule
\endfoot
\bottomrule
\endlastfoot
"""


def write_latex(table: Table, path: Path, job: Job) -> Written:
    """Write a table as a longtable."""
    rows = readable(table.arrow)
    names = " & ".join(f"{{{_escaped(name)}}}" for name in rows.column_names)
    columns = "".join("r" if is_number(kind) else "l" for kind in rows.schema.types)

    def lines(batch: pa.RecordBatch, _begin: int) -> Any:
        first, *others = map(_cell, batch.columns)
        # In braces, since a line that begins with [ would be read as a length given to the row before.
        return join([join([join(["{", first, "}"]), *others], " & "), " \\\\\n"])

    with path.open("wb") as file:
        file.write(_HEAD.format(columns=columns, names=names).encode())
        for text in in_order(rows, lines, job):
            write(file, text)
        file.write(b"\\end{longtable}\n")
    return Written()


def _cell(column: Any) -> Any:
    text = texts(column)
    if column.type == TEXT:
        signs = pc.match_substring_regex(text, r"""[\\~^<>|"`'\-&%$#_{}\r\n\t]""")
        text = rewritten(text, signs, _escaped)
    elif is_number(column.type):
        text = join(["$", replaced(text, ("e", r"\mathrm{e}")), "$"])
    return pc.fill_null(text, r"\emph{NULL}")


def _escaped(text: str) -> str:
    return text.translate(_SIGNS)
