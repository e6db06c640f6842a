"""Long runs of the survival tests: ``python -m tests.publish.survival.stress [--kills 500] [--seed N]``.

Prints what was survived and how long it took; ends with 1 at the first thing that was not.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Literal, get_args

from tests.publish.survival.giant import publish_beyond_a_gibibyte
from tests.publish.survival.storm import storm

Mode = Literal["full", "incremental"]
Layout = Literal["generations", "plain"]


def main() -> None:
    """Run the storms, and a file beyond 1 GiB."""
    parser = argparse.ArgumentParser(prog="make stress", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=500, help="publishers to kill, in all (500)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the instants of the kills")
    parser.add_argument("--no-giant", action="store_true", help="leave out the file beyond 1 GiB")
    given = parser.parse_args()
    begun = time.monotonic()
    print(f"{given.kills} kills, seed {given.seed}")
    kinds = list(product(get_args(Mode), get_args(Layout), (True, False)))
    for number, (mode, layout, wal) in enumerate(kinds):
        kills = given.kills // len(kinds) + (number < given.kills % len(kinds))
        if kills:
            with tempfile.TemporaryDirectory() as folder:
                told = storm(
                    Path(folder), kills=kills, mode=mode, layout=layout, wal=wal, seed=given.seed + number
                )
            print(f"{mode}, {layout}, staging in {'WAL' if wal else 'DELETE'}: {told}", flush=True)
    if not given.no_giant:
        with tempfile.TemporaryDirectory() as folder:
            print(publish_beyond_a_gibibyte(Path(folder)))
    print(f"nothing torn, nothing lost; {time.monotonic() - begun:.0f} s in all")


if __name__ == "__main__":
    main()
