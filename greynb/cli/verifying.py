"""``greynb verify FILE…``: every query of a report or an export run again, number by number."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from greynb.cli.common import complain, progress_line, tell
from greynb.cli.exitcodes import Exit
from greynb.errors import GreynbError, QueryInterrupted

_WORST_FIRST = (Exit.DIFFERS, Exit.REFUSED, Exit.OK)


def verify_files(paths: Sequence[str], *, as_json: bool) -> int:
    """Verify files one after the other; a file that cannot be verified does not stop the others.

    Returns
    -------
    int
        4 where something differs, else 1 where something could not be verified, else 0.
    """
    from greynb.report.verifying import verify_file

    codes: list[int] = []
    told: list[dict[str, Any]] = []
    for path in paths:
        try:
            found = verify_file(path, progress=progress_line())
        except QueryInterrupted:
            raise KeyboardInterrupt from None
        except GreynbError as error:
            codes.append(Exit.REFUSED)
            told.append({"file": path, "holds": False, "error": error.message})
            complain(str(error))
            continue
        codes.append(Exit.DIFFERS if found.differs else Exit.OK if found.holds else Exit.REFUSED)
        told.append(found.as_dict())
        if not as_json:
            tell(str(found))
    if as_json:
        print(json.dumps(told, indent=2))
    return next(code for code in _WORST_FIRST if code in codes)
