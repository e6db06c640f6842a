"""Commands that make things to read: reports of notebooks, the demo and its report."""

from __future__ import annotations

import argparse
from pathlib import Path

from greynb.cli.common import positive, progress_line
from greynb.cli.parser import Commands, Parser, add_command


def add(commands: Commands[Parser]) -> None:
    """Add ``report`` and ``demo``."""
    command = add_command(
        commands,
        "report",
        "run a notebook and write its report",
        examples=[
            ("report evaluation", "evaluation.html, of the notebook that comes along"),
            ("report month.ipynb --to html,pdf --param month=2025-07 --out reports", "two files"),
            ("report month.ipynb --param month=2025-06 --param month=2025-07", "two and an index"),
        ],
    )
    command.add_argument(
        "notebook",
        metavar="NOTEBOOK",
        help="a notebook, or one that comes along: evaluation, ingest, quickstart, report",
    )
    command.add_argument(
        "--to", type=_words, default=[], metavar="FORMATS", help="html (default), pdf, xlsx, md; with commas"
    )
    command.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the notebook; a name given again makes another report, and an index of all",
    )
    command.add_argument(
        "--out", type=Path, metavar="PATH", help="a folder, or the file of one report (default: here)"
    )
    command.add_argument("--show-code", action="store_true", help="with the code of the cells")
    command.add_argument("--force", action="store_true", help="replace files that are there")
    command.set_defaults(run=_report)

    command = add_command(
        commands,
        "demo",
        "build a season, publish it, and write an evaluation report",
        examples=[
            ("demo", "20,000 races in the folder demo"),
            ("demo --races 500 --to small", "a small season"),
        ],
    )
    command.add_argument(
        "--races", type=positive, default=20_000, metavar="N", help="size of the season (default 20,000)"
    )
    command.add_argument("--to", default="demo", metavar="DIR", help="folder to fill (default ./demo)")
    command.set_defaults(run=_demo)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _report(args: argparse.Namespace) -> None:
    from greynb.report.making import make_reports

    made = make_reports(
        args.notebook,
        formats=args.to,
        given=args.param,
        out=args.out,
        show_code=args.show_code,
        force=args.force,
        progress=progress_line(),
    )
    for path in made:
        print(path)


def _demo(args: argparse.Namespace) -> None:
    from greynb.demo.run import run_demo

    report = run_demo(Path(args.to), races=args.races, progress=progress_line())
    print(f"report: {report}")
