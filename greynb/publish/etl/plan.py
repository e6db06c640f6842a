"""What a publication should contain: the declarations of ``greynb.toml``, or of ``[tool.greynb]``.

Everything is checked when the file is read; what only the data can tell (whether a column exists, whether a
contract holds) is checked when the plan is applied.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from greynb.errors import PublishError
from greynb.publish.etl.promises import Contract, Query, read_contracts, read_queries
from greynb.publish.etl.reading import Value

FILES: Final = ("greynb.toml", "pyproject.toml")
KINDS: Final = ("timestamp", "date", "integer", "real", "text", "boolean")
_KEYS: Final = (
    "analyze",
    "checks",
    "columns",
    "contracts",
    "indexes",
    "tables",
    "transforms",
    "types",
    "vacuum",
)
_WISH_KEYS: Final = ("format", "max_lost", "missing", "type", "zone")


@dataclass(frozen=True, slots=True)
class Wish:
    """The type that a column should have.

    Attributes
    ----------
    pattern
        ``table.column``, where both may be patterns.
    kind
        One of `KINDS`.
    max_lost
        How many values may become NULL because they are not of that kind.
    missing
        Values that mean "no value": they become NULL and are not counted as lost.
    format
        How dates and times are written: None for ISO 8601, ``"unix"`` and ``"unix_ms"`` for seconds and
        milliseconds since 1970, else a format of `datetime.strptime`.
    zone
        Where times with an offset are moved to before the offset is dropped; None: they are lost.
    """

    pattern: str
    kind: str
    max_lost: int = 0
    missing: tuple[str | int | float, ...] = ()
    format: str | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a publication should contain.

    Attributes
    ----------
    file
        Where it is declared.
    include, exclude
        Patterns of tables and views; kept is what fits one of the former and none of the latter.
    drop
        ``table.column`` patterns.
    transforms
        SQL files in the order in which they run.
    wishes
        Types of columns.
    indexes
        Table and columns of indexes for reading.
    contracts, queries
        What must hold before anything is published.
    vacuum, analyze
        What is done to the finished copy.
    """

    file: Path
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    transforms: tuple[Path, ...] = ()
    wishes: tuple[Wish, ...] = ()
    indexes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    contracts: tuple[Contract, ...] = ()
    queries: tuple[Query, ...] = ()
    vacuum: bool = True
    analyze: bool = True
    text: str = field(default="", repr=False)

    def digest(self) -> str:
        """Sha256 over the plan's file and its transforms: equal as long as the plan says the same."""
        hashed = hashlib.sha256(self.text.encode())
        for path in self.transforms:
            content = path.read_bytes()
            hashed.update(f"\0{self.name_of(path)}\0{len(content)}\0".encode() + content)
        return hashed.hexdigest()

    def name_of(self, path: Path) -> str:
        """A transform's path as seen from the plan's folder."""
        folder = self.file.parent
        return (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()


def load_plan(folder: Path) -> Plan | None:
    """Read the plan that is nearest to a folder, upwards.

    In each folder ``greynb.toml`` comes before a ``pyproject.toml`` with a ``[tool.greynb]``.

    Raises
    ------
    PublishError
        The file is not TOML, or says something that is not known; names the file and the key.
    """
    folder = folder.absolute()
    for place in (folder, *folder.parents):
        for name in FILES:
            if (file := place / name).is_file() and (found := _declared(file)) is not None:
                return _plan(*found)
    return None


def _declared(file: Path) -> tuple[Value, str] | None:
    try:
        text = file.read_text(encoding="utf-8-sig")
        given = tomllib.loads(text)
    except OSError as error:
        raise PublishError(f"{file}: the plan cannot be read ({error.strerror})") from error
    except ValueError as error:  # tomllib's own, and bytes that are not UTF-8
        if file.name != FILES[0] and "greynb" not in file.read_text(encoding="utf-8", errors="replace"):
            return None  # somebody else's file, and somebody else's trouble
        raise PublishError(f"{file}: not TOML: {error}") from error
    if file.name == FILES[0]:
        return Value(file, (), given), text
    tool = given.get("tool")
    if not isinstance(tool, dict) or "greynb" not in tool:
        return None
    # repr keeps every value and its type apart; other tools' sections do not change the plan.
    return Value(file, ("tool", "greynb"), tool["greynb"]), repr(tool["greynb"])


def _plan(top: Value, text: str) -> Plan:
    found = top.known(_KEYS)
    tables = found["tables"].known(("include", "exclude")) if "tables" in found else {}
    columns = found["columns"].known(("drop",)) if "columns" in found else {}
    return Plan(
        file=top.file,
        include=tables["include"].texts() if "include" in tables else ("*",),
        exclude=tables["exclude"].texts() if "exclude" in tables else (),
        drop=columns["drop"].each("a list of texts", _column) if "drop" in columns else (),
        transforms=tuple(_transforms(found["transforms"])) if "transforms" in found else (),
        wishes=tuple(_wishes(found["types"])) if "types" in found else (),
        indexes=tuple(_indexes(found["indexes"])) if "indexes" in found else (),
        contracts=tuple(read_contracts(found["contracts"])) if "contracts" in found else (),
        queries=tuple(read_queries(found["checks"])) if "checks" in found else (),
        vacuum=found["vacuum"].flag() if "vacuum" in found else True,
        analyze=found["analyze"].flag() if "analyze" in found else True,
        text=text,
    )


def _column(value: Value) -> str:
    if "." not in value.text().strip("."):
        raise value.wrong('a column as in "table.column" or "*.column"')
    return value.text()


def _transforms(value: Value) -> Iterator[Path]:
    """The files of a folder, or of globs; each file once, sorted within each glob."""
    folder = value.file.parent
    if isinstance(value.given, str):
        if not (folder / value.text()).is_dir():
            raise value.error(f"names the folder {value.given!r}, which does not exist")
        yield from sorted((folder / value.text()).glob("*.sql"))
        return
    seen: set[Path] = set()
    for pattern in value.texts():
        try:
            files = sorted(folder.glob(pattern))
        except (ValueError, NotImplementedError) as error:
            raise value.error(f"has a pattern that is not one: {pattern!r} ({error})") from error
        if not files:
            raise value.error(f"has a pattern that no file fits: {pattern!r}")
        yield from (file for file in files if file not in seen)
        seen.update(files)


def _wishes(value: Value) -> Iterator[Wish]:
    """``"table.column" = wish``, or ``table.column = wish``, which TOML reads as a table in a table."""
    for key, each in value.items().items():
        nested = isinstance(each.given, dict) and ("." not in key or "type" not in each.given)
        if nested:
            yield from (_wish(f"{key}.{column}", inner) for column, inner in each.items().items())
        elif "." not in key.strip("."):
            raise each.error('must be named as in "table.column" or "*.column"')
        else:
            yield _wish(key, each)


def _wish(pattern: str, value: Value) -> Wish:
    if isinstance(value.given, str):
        return Wish(pattern, value.one_of(KINDS))
    found = value.known(_WISH_KEYS)
    if "type" not in found:
        raise value.error(f"must have a type, one of {', '.join(KINDS)}")
    kind = found["type"].one_of(KINDS)
    for key in ("format", "zone"):
        if key in found and kind not in ("date", "timestamp"):
            raise found[key].error(f"is for dates and timestamps, not for {kind}")
    if "format" in found and found["format"].given in ("unix", "unix_ms") and "zone" not in found:
        raise value.error('needs a zone with that format, as in zone = "UTC"')
    return Wish(
        pattern,
        kind,
        max_lost=found["max_lost"].count() if "max_lost" in found else 0,
        missing=found["missing"].scalars() if "missing" in found else (),
        format=found["format"].text() if "format" in found else None,
        zone=found["zone"].zone() if "zone" in found else None,
    )


def _indexes(value: Value) -> Iterator[tuple[str, tuple[str, ...]]]:
    for table, each in value.items().items():
        for columns in each.each("a list of columns, or of lists of columns", Value.names):
            yield table, columns
