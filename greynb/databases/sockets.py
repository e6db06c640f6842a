"""The connections that libraries of this process hold: found among its sockets, and ended.

DuckDB gives no way to end a connection that it waits on, and hears of no interrupt meanwhile.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

_TIMEOUT: Final = getattr(socket, "TCP_USER_TIMEOUT", None)


def end_marked(mark: int) -> None:
    """End the connections whose ``TCP_USER_TIMEOUT`` is this number of milliseconds (Linux)."""
    option = _TIMEOUT
    if option is not None:
        _end(lambda line: line.getsockopt(socket.IPPROTO_TCP, option) == mark)


def end_to(peers: Collection[tuple[Any, ...]]) -> None:
    """End all connections to one of these hosts and ports, whoever opened them (Linux, macOS)."""
    _end(lambda line: line.getpeername()[:2] in peers)


def _end(chosen: Callable[[socket.socket], bool]) -> None:
    try:
        numbers = [int(each.name) for each in Path("/dev/fd").iterdir()]
    except OSError:
        return  # Windows lists none
    for number in numbers:
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                _end_one(os.dup(number), chosen)


def _end_one(number: int, chosen: Callable[[socket.socket], bool]) -> None:
    with socket.socket(fileno=number) as line:
        if line.family in (socket.AF_INET, socket.AF_INET6) and chosen(line):
            line.shutdown(socket.SHUT_RDWR)
