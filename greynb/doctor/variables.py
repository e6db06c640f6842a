"""Checks of what the environment says: which variable names which file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from greynb.databases.generations import generation_at
from greynb.doctor import fixes
from greynb.doctor.findings import Evidence, Fix, setting, sh
from greynb.doctor.patient import Patient
from greynb.errors import RoutingError
from greynb.routing import Role, envfile
from greynb.routing.settings import DEFAULT_FILES, ROLE_VARIABLES, SHARED_VARIABLES, same_file, same_place
from greynb.routing.spoken import Spoken, spoken

_SECRET_NAME: Final = re.compile(
    r"PASS(WORD|WD|PHRASE)?(_|$)|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|CREDENTIAL", re.IGNORECASE
)
_PASSWORD_IN_URL: Final = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
_OTHERS: Final = 0o007
_OTHERS_READ: Final = 0o004
_NO_REST: Final = "nothing more can be checked for this role"


def unusable(patient: Patient) -> Iterator[Evidence]:
    """Variables from which no file can be made out."""
    for role, error in patient.refused.items():
        where = f"{error.chosen_by}: {error.message}" if error.chosen_by else error.message
        yield Evidence(
            (where, _NO_REST), error.hint or setting(ROLE_VARIABLES[role], "/path/to/the.db"), role
        )


def contradicting(patient: Patient) -> Iterator[Evidence]:
    """Variables of which only one counts, and that name different files."""
    said = spoken(patient.settings)
    for one in said:
        for other in said:
            if one.variable == other.variable and one.heard and not other.heard and _differ(one, other):
                yield Evidence(
                    (f"{one.where} is {one.place}", f"{other.where} is {other.place}; it is not used"),
                    f"unset {one.variable}    # or remove it from {other.env_file}",
                )
    shared = [each for each in said if each.heard and each.variable in SHARED_VARIABLES]
    for other in shared[1:]:
        if _differ(shared[0], other):
            yield Evidence(
                (
                    f"{shared[0].where} is {shared[0].place}",
                    f"{other.where} is {other.place}; it is not used",
                ),
                f"{_unset(other)}    # or give it the same value",
            )
    yield from _third_file(patient, shared[:1])


def _third_file(patient: Patient, shared: list[Spoken]) -> Iterator[Evidence]:
    """A shared variable that other programs go by, and greynb does not."""
    places = [route.place for route in patient.routes.values()]
    own = [route.variable for route in patient.routes.values() if route.variable in ROLE_VARIABLES.values()]
    for each in shared:
        if len(own) == len(ROLE_VARIABLES) and not any(same_place(each.place, place) for place in places):
            yield Evidence(
                (
                    f"{each.where} is {each.place}, neither staging nor analytics",
                    f"{' and '.join(map(str, own))} come first here; a program that knows only"
                    f" {each.variable} works on the third file",
                ),
                _unset(each),
            )


def _unset(spoken: Spoken) -> str:
    name = spoken.variable
    if spoken.env_file is None:
        return f"unset {name}"
    line = rf"/^\s*(export\s+)?{name}\s*=/d"
    return f"sed -i -E {sh(line)} {sh(spoken.env_file)}"


def _differ(one: Spoken, other: Spoken) -> bool:
    return not same_place(one.place, other.place)


def other_role(patient: Patient) -> Iterator[Evidence]:
    """A role that was given the other role's file."""
    staging, analytics = patient.routes.get("staging"), patient.routes.get("analytics")
    version = generation_at(staging.path) if staging else None
    if staging and version is not None and version.manifest is not None:
        yield Evidence(
            (
                f"staging is {staging.path}, chosen by {staging.chosen_by}",
                f"that is {version.manifest.id}, which `greynb sync` published for readers",
            ),
            setting(ROLE_VARIABLES["staging"], _source(version.manifest.source)),
            "staging",
            staging.path,
        )
    elif staging and staging.variable and staging.path.name == DEFAULT_FILES["analytics"]:
        yield _by_name("staging", staging.path, staging.chosen_by)
    if (
        analytics
        and analytics.variable
        and not analytics.shared
        and analytics.path.name == DEFAULT_FILES["staging"]
    ):
        yield _by_name("analytics", analytics.path, analytics.chosen_by)


def _by_name(role: Role, path: Path, chosen_by: str) -> Evidence:
    other: Role = "analytics" if role == "staging" else "staging"
    return Evidence(
        (f"{role} is {path}, chosen by {chosen_by}", f"{path.name} is the usual name of {other}"),
        setting(ROLE_VARIABLES[role], path.with_name(DEFAULT_FILES[role])),
        role,
        path,
    )


def _source(source: object) -> str:
    path = source.get("path") if isinstance(source, dict) else None
    return str(path) if path else "/path/to/the.db"


def one_file(patient: Patient) -> Iterator[Evidence]:
    """Both roles in one file."""
    routes = patient.routes
    if len(routes) == len(ROLE_VARIABLES) and all(route.shared for route in routes.values()):
        path = routes["staging"].path
        yield Evidence(
            tuple(f"{role}: {route.path}, chosen by {route.chosen_by}" for role, route in routes.items()),
            "\n".join(
                [
                    setting(ROLE_VARIABLES["staging"], path),
                    setting(ROLE_VARIABLES["analytics"], path.with_name(DEFAULT_FILES["analytics"])),
                    "greynb sync",
                ]
            ),
            path=path,
        )


def relative(patient: Patient) -> Iterator[Evidence]:
    """Relative paths for which another folder has a file, too."""
    settings = patient.settings
    said = {each.variable: each for each in spoken(settings) if each.heard and each.relative}
    for role, route in patient.routes.items():
        one = said.get(route.variable or "")
        if one is None and route.variable is not None:
            continue
        base = settings.cwd if one is None or one.env_file is None else one.env_file.parent
        try:
            part = route.path.relative_to(base)
        except ValueError:  # it goes up with ..
            continue
        folders = [settings.cwd, *settings.cwd.parents]
        if settings.env_file is not None:
            folders.insert(0, settings.env_file.parent)
        others = [folder / part for folder in folders if (folder / part).is_file()]
        other = next((each for each in others if not same_file(each, route.path)), None)
        if other is not None:
            state = "is there, too" if route.path.exists() else "is there, and that one is not"
            yield Evidence(
                (
                    f"{part}, chosen by {route.chosen_by}, is taken from the folder {base}",
                    f"{other} {state}",
                ),
                setting(route.variable or ROLE_VARIABLES[role], other),
                role,
                route.path,
            )


def secrets(patient: Patient) -> Iterator[Evidence]:
    """Passwords and keys in a ``.env`` file that every user of the machine can read."""
    file = patient.settings.env_file
    if file is None:
        return
    try:
        mode = file.stat().st_mode & 0o777
        written = envfile.read(file, {})
    except (OSError, RoutingError):
        return
    names = [name for name, value in written.items() if value.text and _is_secret(name, value.text)]
    if names and mode & _OTHERS_READ and os.name != "nt":
        wanted = mode & ~_OTHERS
        yield Evidence(
            (f"{file} has the mode {mode:04o}", f"it sets {', '.join(names)} (values not shown)"),
            f"chmod o= {sh(file)}",
            path=file,
            fix=Fix(f"change the mode of {file} from {mode:04o} to {wanted:04o}", fixes.mode(file, wanted)),
        )


def _is_secret(name: str, text: str) -> bool:
    return bool(_SECRET_NAME.search(name) or _PASSWORD_IN_URL.search(text))
