"""The demo from nothing: two databases, form guides, and a report made by a notebook."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from greynb.demo.form_guides import write_form_guides
from greynb.demo.season import SEED, season
from greynb.demo.write import write_season
from greynb.errors import UsageError

if TYPE_CHECKING:
    from greynb.publish.steps import Progress


STAGING = "greyhound_racing_data_stage.db"
ANALYTICS = "greyhound_racing_data_analytics.db"
_FORM_GUIDES = 24


@dataclass(frozen=True, slots=True)
class Demo:
    """Where the parts of a demo are: the two databases and the folder of form guides."""

    staging: Path
    analytics: Path
    form_guides: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables that make greynb use these databases."""
        return {"STAGING_DB_PATH": str(self.staging), "ANALYTICS_DB_PATH": str(self.analytics)}


def build_demo(
    folder: Path, *, races: int = 20_000, seed: int = SEED, progress: Progress | None = None
) -> Demo:
    """Make a season in `folder`: staging is filled, form guides are written, analytics is published.

    Parameters
    ----------
    folder
        Created when needed. The parts of an earlier demo in it are replaced; nothing else is touched.
    races, seed
        The size of the season, and the number that decides everything in it.
    progress
        Called with the step being done and the share of it that is done, 0 to 1.

    Raises
    ------
    UsageError
        The folder holds a database of that name which no demo made.
    """
    from greynb.publish import sync

    tell = progress or _silent
    folder = folder.resolve()
    demo = Demo(folder / STAGING, folder / ANALYTICS, folder / "form_guides")
    _clear(demo)
    tell("making the season", 0.0)
    made = season(races, seed)
    _mark(demo).touch()
    write_season(demo.staging, made, lambda table, done: tell(f"staging: {table}", done))
    tell("form guides", 0.0)
    write_form_guides(demo.form_guides, made, min(races, _FORM_GUIDES))
    sync(demo.staging, demo.analytics, mode="full", progress=progress)
    return demo


def run_demo(folder: Path, *, races: int = 20_000, progress: Progress | None = None) -> Path:
    """Build the demo in `folder`, run the evaluation notebook over it, and give the path of its report.

    The parameters are those of `build_demo`. Needs the extra ``greynb[report]``.
    """
    from greynb.report import document_of, execute_notebook, notebook, save

    demo = build_demo(folder, races=races, progress=progress)
    source = notebook("evaluation.ipynb")
    done = execute_notebook(source, cwd=demo.staging.parent, env=demo.environment, progress=progress)
    report = demo.staging.with_name("evaluation.html")
    save(document_of(done), report, force=True)
    return report


def _clear(demo: Demo) -> None:
    """Remove an earlier demo; refuse to touch databases that were not made here."""
    there = [path for path in (demo.staging, demo.analytics) if path.exists() or path.is_symlink()]
    if there and not _mark(demo).exists():
        raise UsageError(
            f"{there[0].name} is already there, and no demo made it",
            path=there[0],
            hint="choose another folder with --to",
        )
    demo.staging.parent.mkdir(parents=True, exist_ok=True)
    for suffix in ("", "-wal", "-shm"):
        demo.staging.with_name(demo.staging.name + suffix).unlink(missing_ok=True)
    if demo.form_guides.is_dir():
        shutil.rmtree(demo.form_guides)


def _mark(demo: Demo) -> Path:
    return demo.staging.with_name(".greynb-demo")


def _silent(step: str, done: float) -> None:
    """Stand in for a caller that wants no progress."""
