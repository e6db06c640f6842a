"""The notebooks that come with greynb."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from greynb.errors import UsageError

# A wheel carries the folder inside the package; in a checkout it stands beside it.
_FOLDERS = (Path(__file__).parent / "notebooks", Path(__file__).parents[2] / "notebooks")


def notebook(name: str) -> Path:
    """Give the path of a notebook that comes with greynb, for example ``"evaluation.ipynb"``.

    Raises
    ------
    UsageError
        There is none of that name.
    """
    for folder in _FOLDERS:
        if (folder / name).is_file():
            return folder / name
    known = sorted({path.name for folder in _FOLDERS for path in folder.glob("*.ipynb")})
    near = get_close_matches(name, known, n=1)
    raise UsageError(
        f"there is no notebook {name}, neither here nor among those that come with greynb",
        hint=f"{f'did you mean {near[0]}? ' if near else ''}these come along: {', '.join(known)}",
    )


def names() -> list[str]:
    """Their names without the suffix, as `greynb report` takes them."""
    return sorted({path.stem for folder in _FOLDERS for path in folder.glob("*.ipynb")})
