"""The nearest ``.env`` file and its values, parsed by python-dotenv and kept until the file changes."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from greynb.errors import RoutingError

# The two forms that python-dotenv expands; a bare `$NAME` stays as it is, there and here.
_REFERENCE = re.compile(r"\$\{(?P<name>[^}:]*)(?::-(?P<default>[^}]*))?\}")


@dataclass(frozen=True, slots=True)
class EnvValue:
    """One value of a ``.env`` file.

    Attributes
    ----------
    text
        The value with its ``${NAME}`` references replaced.
    undefined
        A referenced name that is set nowhere and has no default, else None.
    """

    text: str
    undefined: str | None


def nearest(cwd: Path) -> Path | None:
    """Find the nearest ``.env`` file in a folder or above it (a folder of that name is passed over)."""
    for name, path in _candidates(cwd):
        # Asked in each cell, nearly always in vain: `access` is the question that raises nothing.
        if os.access(name, os.F_OK) and os.path.isfile(name):  # noqa: PTH113 - never raises, unlike Path's
            return path
    return None


@lru_cache(maxsize=8)
def _candidates(cwd: Path) -> tuple[tuple[str, Path], ...]:
    return tuple((str(path), path) for path in (each / ".env" for each in (cwd, *cwd.parents)))


def read(path: Path, environ: Mapping[str, str]) -> dict[str, EnvValue]:
    """Read a ``.env`` file; references see the environment first, then the lines above them.

    Raises
    ------
    RoutingError
        The file cannot be read, or is not UTF-8.
    """
    try:
        state = path.stat()
        raw = _parse(path, state.st_mtime_ns, state.st_size)
    except (OSError, UnicodeDecodeError) as error:
        raise RoutingError(
            f"the file {path} cannot be read: {error}",
            hint="make it readable as UTF-8 text, or move it away",
        ) from error
    values: dict[str, EnvValue] = {}
    for name, text in raw:
        values[name] = _expand(text, environ, values)
    return values


@lru_cache(maxsize=8)
def _parse(path: Path, mtime_ns: int, size: int) -> tuple[tuple[str, str], ...]:
    # python-dotenv takes 20 ms to import: only for those who have such a file.
    from dotenv import dotenv_values

    # Its own interpolation reads os.environ, which would bypass the mapping that Settings was given.
    values = dotenv_values(stream=io.StringIO(path.read_text(encoding="utf-8-sig")), interpolate=False)
    return tuple((name, text) for name, text in values.items() if text is not None)


def _expand(text: str, environ: Mapping[str, str], above: Mapping[str, EnvValue]) -> EnvValue:
    undefined: str | None = None

    def replace(match: re.Match[str]) -> str:
        nonlocal undefined
        name, default = match["name"], match["default"]
        if name in environ:
            return environ[name]
        if name in above:
            undefined = undefined or above[name].undefined
            return above[name].text
        if default is None:
            undefined = undefined or name
        return default or ""

    return EnvValue(_REFERENCE.sub(replace, text) if "${" in text else text, undefined)


def chosen_by(variable: str, env_file: Path | None) -> str:
    """Say where a variable was set, in words for an error or a status line."""
    return f"{variable} in {env_file}" if env_file else f"{variable} (environment)"
