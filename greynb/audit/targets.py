"""Which database a value names: one of the two that greynb routes, another, or a temporary one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from greynb.audit.findings import Place
from greynb.audit.values import Env, Helper, Temporary, Text, Unknown, Value, alternatives
from greynb.routing.route import Role
from greynb.routing.settings import LEGACY_FILE, ROLE_VARIABLES, SHARED_VARIABLES

SUFFIXES = (".db", ".sqlite", ".sqlite3", ".db3")
_STEM = LEGACY_FILE.removesuffix(".db")
_COPIES = ("backup", "bak", "test", "copy", "old", "archive", "tmp", "sample")
_ADDRESSES = ("sqlite:////", "sqlite:///", "sqlite+pysqlite:///", "sqlite+aiosqlite:///", "file://", "file:")


@dataclass(frozen=True, slots=True)
class Target:
    """A database that a value names.

    Attributes
    ----------
    kind
        ``"ours"``: staging, analytics or the legacy file; ``"other"``; ``"temporary"``; ``"unknown"``.
    role
        Which of the two, where that is plain.
    name
        The file's path as written, where it is written.
    place
        Where it is written.
    sqlite
        Whether it is plainly a SQLite file.
    """

    kind: Literal["ours", "other", "temporary", "unknown"]
    role: Role | None = None
    name: str | None = None
    place: Place | None = None
    sqlite: bool = True


def target_of(value: Value) -> Target:
    """What a path or address names; of several, the first that is one of ours."""
    found = [_single(each) for each in alternatives(value)]
    known = [each for each in found if each.kind != "unknown"]
    ours = [each for each in known if each.kind == "ours"]
    if ours:
        named = next((each for each in ours if each.name), None)
        roles = {each.role for each in ours if each.role} if _ordered(value) is None else {_ordered(value)}
        role = roles.pop() if len(roles) == 1 else None
        return Target("ours", role, named.name if named else None, named.place if named else None)
    if found and all(each.kind == "temporary" for each in found):
        return found[0]
    return next((each for each in known if each.kind == "other"), Target("unknown", sqlite=False))


def _ordered(value: Value) -> Role | None:
    """The role whose variable is asked first."""
    for each in alternatives(value):
        if isinstance(each, Env | Helper) and (role := _single(each).role):
            return role
    return None


def _single(value: Value) -> Target:
    match value:
        case Temporary():
            return Target("temporary")
        case Helper(role=role):
            return Target("ours", role)
        case Env(name=name):
            return _variable(name)
        case Text():
            return _text(value)
    return Target("unknown", sqlite=False)


def _variable(name: str) -> Target:
    for role, variable in ROLE_VARIABLES.items():
        if name == variable:
            return Target("ours", role)
    if name == SHARED_VARIABLES[0]:
        return Target("ours")
    # DATABASE_PATH and DATABASE_URL are everybody's names: what else is tried tells whose they are here.
    return Target("unknown", sqlite=False)


def _text(text: Text) -> Target:
    wrapped = _wrapped(text)
    if wrapped is not None:
        found = target_of(wrapped)
        return Target(found.kind, found.role, found.name, found.place)
    written = "".join(part if isinstance(part, str) else "…" for part in text.parts)
    is_address = any(written.startswith(each) for each in _ADDRESSES)
    path = written.partition("?")[0] if is_address else written
    for address in _ADDRESSES:
        path = path.removeprefix(address)
    if path in ("", ":memory:", "sqlite://") or "mode=memory" in written:
        return Target("temporary")
    return named(path, text.place, is_address)


def named(path: str, place: Place | None, is_address: bool = False) -> Target:
    """What a path names that is written out, at least in its last part."""
    name = path.replace("\\", "/").rpartition("/")[2].lower()
    if "://" in path or not (is_address or name.endswith(SUFFIXES)):
        return Target("unknown" if "…" in name else "other", None, path, place, sqlite=is_address)
    if path.startswith(("/tmp/", "/var/tmp/", "/dev/shm/")):
        return Target("temporary")
    if not is_ours(name):
        return Target("unknown" if name.startswith("…") else "other", None, path, place)
    return Target("ours", role_of_file(name), path, place)


def is_ours(name: str) -> bool:
    """Whether a file's name is that of staging, analytics or the single file, and not of a copy of them."""
    stem = name.lower().rpartition(".")[0]
    return stem.startswith(_STEM) and not any(word in stem[len(_STEM) :] for word in _COPIES)


def role_of_file(name: str) -> Role | None:
    """The role of a file by its name."""
    rest = name.lower().removeprefix(_STEM)
    if "analytics" in rest:
        return "analytics"
    return "staging" if "stag" in rest or "writ" in rest else None


def readonly_address(value: Value) -> bool:
    """Whether every address that a value can be says ``mode=ro`` (or ``immutable=1``)."""
    texts = alternatives(value)
    return all(
        isinstance(each, Text)
        and any(isinstance(part, str) and ("mode=ro" in part or "immutable=1" in part) for part in each.parts)
        for each in texts
    )


def looks_like_file(text: str) -> bool:
    """Whether a text is the path of a SQLite file, and not a pattern or a suffix alone."""
    name = text.replace("\\", "/").rpartition("/")[2]
    return (
        text.lower().partition("?")[0].endswith(SUFFIXES)
        and not name.startswith(".")
        and not any(sign in text for sign in " \n*{}<>%")
    )


def _wrapped(text: Text) -> Value | None:
    """The value inside ``f"file:{path}?mode=ro"`` and the like; None where there is more than an address."""
    values = [part for part in text.parts if not isinstance(part, str)]
    if len(values) != 1 or isinstance(values[0], Unknown):
        return None
    known = [part for part in text.parts if isinstance(part, str)]
    if all(part in _ADDRESSES or part.startswith("?") for part in known) and known:
        return values[0]
    return None
