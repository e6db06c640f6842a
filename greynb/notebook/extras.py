"""What stands under a result when the cell's line asks for it: an explorer, a plot, a profile.

What goes wrong is given back, not raised: the result itself is shown all the same, and the error after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.core.display_functions import display

from greynb.errors import GreynbError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from greynb.notebook.config import Greynb
    from greynb.notebook.options import CellOptions


def wanted(options: CellOptions) -> bool:
    """Whether there is anything to show."""
    return options.explore or options.plot is not None or options.profile


def show(frame: pd.DataFrame | None, options: CellOptions, config: Greynb) -> GreynbError | None:
    """Show what the options ask for, and give back the error that kept some of it from being shown."""
    if not wanted(options):
        return None
    try:
        if frame is None:
            raise UsageError("no statement of the cell gave rows: there is nothing to draw or profile")
        if options.explore:
            from greynb.notebook.exploring import explore

            explore(frame)
        if options.plot is not None:
            from greynb.notebook.plotting import draw

            display(draw(frame, options.plot))  # type: ignore[no-untyped-call]  # IPython's own
        if options.profile:
            from greynb.notebook.profiles import profile_frame

            source = options.name or "the result"
            display(profile_frame(frame, source, config))  # type: ignore[no-untyped-call]
    except GreynbError as error:
        return error
    return None
