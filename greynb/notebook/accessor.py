"""``df.greynb``: what greynb can do with any DataFrame of pandas, by the name that every frame then has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

if TYPE_CHECKING:
    from greynb.notebook.profiles import ShownProfile

NAME: Final = "greynb"


class GreynbAccessor:
    """The methods behind ``df.greynb``."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def explore(self) -> None:
        """Show the frame, and under it a table to sort and filter in.

        Raises
        ------
        UsageError
            quak is not installed, or the frame holds what no table can.
        """
        from IPython.display import display

        from greynb.notebook.exploring import explore

        display(self._frame)  # type: ignore[no-untyped-call]  # IPython's own
        explore(self._frame)

    def profile(self) -> ShownProfile:
        """Give the profile of the columns: types, NULLs, different values, range, quartiles and spread.

        Raises
        ------
        UsageError
            The frame holds what no table can.
        QueryInterrupted
            Ctrl-C.
        """
        from greynb.notebook.config import Greynb
        from greynb.notebook.profiles import profile_frame

        return profile_frame(self._frame, "DataFrame", Greynb())


def register() -> None:
    """Let every DataFrame have it."""
    if not hasattr(pd.DataFrame, NAME):
        pd.api.extensions.register_dataframe_accessor(NAME)(GreynbAccessor)


def unregister() -> None:
    """Take it from them; pandas itself has no way back, so this undoes what its registration does."""
    if isinstance(getattr(pd.DataFrame, NAME, None), type):
        accessors: set[str] = getattr(pd.DataFrame, "_accessors", set())
        accessors.discard(NAME)
        delattr(pd.DataFrame, NAME)
