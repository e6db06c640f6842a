"""The environment, read once per cell: which variable names which file or server.

Precedence is by variable first and by source second. The environment replaces a variable of the
``.env`` file only with the same name: where ``.env`` sets ``ANALYTICS_DB_PATH`` and the environment
sets ``GREYHOUND_DB_PATH``, analytics is what ``ANALYTICS_DB_PATH`` says, because a role's own variable
comes before the shared ones wherever each was set. An empty value counts as unset, so an empty
variable of the environment lets the ``.env`` file speak.

Where ``ANALYTICS_ENGINE=spark``, analytics is computed by the server that ``SPARK_REMOTE`` names, over what
would serve it otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from greynb.errors import RoutingError
from greynb.routing import envfile
from greynb.routing.envfile import EnvValue, chosen_by
from greynb.routing.route import Mode, Role, Route, Source
from greynb.routing.servers import Server, spark
from greynb.routing.storage import STORAGE_VARIABLES, Given, Storage
from greynb.routing.targets import Target, parse_target

ROLE_VARIABLES: Mapping[Role, str] = {"staging": "STAGING_DB_PATH", "analytics": "ANALYTICS_DB_PATH"}
SHARED_VARIABLES = ("GREYHOUND_DB_PATH", "DATABASE_PATH", "DATABASE_URL")
ENGINE_VARIABLES = ("ANALYTICS_ENGINE", "SPARK_REMOTE")
LAKE_VARIABLES = ("LAKE_DATA_PATH", "LAKE_DB_PATH")
"""Where a new DuckLake keeps its Parquet files (one that is there knows it); what ``sc://`` computes over."""
_VARIABLES = (
    *ROLE_VARIABLES.values(),
    *SHARED_VARIABLES,
    *ENGINE_VARIABLES,
    *LAKE_VARIABLES,
    *STORAGE_VARIABLES,
)
DEFAULT_FILES: Mapping[Role, str] = {
    "staging": "greyhound_racing_data_stage.db",
    "analytics": "greyhound_racing_data_analytics.db",
}
LEGACY_FILE = "greyhound_racing_data.db"


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable that is set.

    Attributes
    ----------
    text
        Its value, stripped. May hold a password: not for showing.
    source
        ``"environment"`` or ``".env"``.
    env_file
        The ``.env`` file, where it was set there.
    undefined
        A ``${NAME}`` in its value that is set nowhere, else None.
    """

    text: str = field(repr=False)
    source: Source
    env_file: Path | None = None
    undefined: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment and the nearest ``.env`` say about the two roles.

    Attributes
    ----------
    variables
        The routing variables that are set, by name.
    cwd
        The folder that default files and relative paths of the environment start from.
    env_file
        The nearest ``.env`` file, None where there is none.
    """

    variables: Mapping[str, Setting]
    cwd: Path
    env_file: Path | None

    @classmethod
    def current(cls) -> Settings:
        """Read the process's environment and working directory as they are now.

        Raises
        ------
        RoutingError
            The working directory was deleted, or its ``.env`` file cannot be read.
        """
        try:
            cwd = _folder(os.getcwd())  # noqa: PTH109 - a Path that is kept, for each cell
        except OSError as error:
            raise RoutingError("the working directory is gone", hint="change to one that exists") from error
        return cls.from_environ(os.environ, cwd)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], cwd: Path) -> Settings:
        """Read a given environment in a given folder; the nearest ``.env`` fills in what is unset.

        Raises
        ------
        RoutingError
            The ``.env`` file cannot be read.
        """
        env_file = envfile.nearest(cwd)
        file_values = envfile.read(env_file, environ) if env_file else {}
        texts = tuple(environ.get(name, "").strip() for name in _VARIABLES)
        return _settings(cwd, texts, env_file, tuple(file_values.get(name) for name in _VARIABLES))

    def route(self, role: Role) -> Route:
        """Say which file or server serves a role, and who chose it.

        Raises
        ------
        RoutingError
            The role's variable does not name a file or server that greynb can use.
        """
        if role not in ROLE_VARIABLES:
            raise RoutingError(f"there is no role {role!r}", hint="the roles are staging and analytics")
        variable, target = self._target(role)
        mode = self._mode(role, variable, target.place)
        if isinstance(target.place, Server) and target.place.kind == "spark":
            target = Target(self._over_lake(target.place), target.options)
        elif role == "analytics" and self._on_spark():
            computing = self._spark(target.place)
            variable = variable if computing is target.place else "SPARK_REMOTE"
            target = Target(computing, {})
        setting = self.variables[variable] if variable else None
        in_lake = isinstance(target.place, Server) and target.place.kind != "postgresql"
        return Route(
            role=role,
            place=target.place,
            variable=variable,
            source=setting.source if setting else "default",
            env_file=setting.env_file if setting else None,
            mode=mode,
            options={**target.options, **self._lake_options()} if in_lake else target.options,
        )

    def _over_lake(self, server: Server) -> Server:
        """Spark by its own address, over the DuckLake that ``LAKE_DB_PATH`` names."""
        setting = self.variables.get("LAKE_DB_PATH")
        return (
            server
            if setting is None
            else replace(server, over=self._parse("analytics", "LAKE_DB_PATH", setting).place)
        )

    def _lake_options(self) -> dict[str, str]:
        setting = self.variables.get("LAKE_DATA_PATH")
        if setting is None:
            return {}
        base = setting.env_file.parent if setting.env_file else self.cwd
        path = setting.text if "://" in setting.text else str(base / Path(setting.text).expanduser())
        return {"data_path": path}

    def _storage(self) -> Storage:
        found = [(name, self.variables[name]) for name in STORAGE_VARIABLES if name in self.variables]
        for name, setting in found:
            _check_defined(name, setting)
        return Storage(tuple(Given(name, each.text, each.env_file) for name, each in found))

    def _on_spark(self) -> bool:
        engine = self.variables.get("ANALYTICS_ENGINE")
        if engine is None or engine.text == "duckdb":
            return False
        if engine.text != "spark":
            raise RoutingError(
                "there is no such engine",
                role="analytics",
                chosen_by=chosen_by("ANALYTICS_ENGINE", engine.env_file),
                hint="ANALYTICS_ENGINE is duckdb (what it is when unset) or spark",
            )
        return True

    def _spark(self, over: Path | Server) -> Server:
        """The server that computes, unless analytics names it by its own address already."""
        if isinstance(over, Server) and over.kind == "spark":
            return over
        setting = self.variables.get("SPARK_REMOTE")
        if setting is None:
            raise RoutingError(
                "ANALYTICS_ENGINE is spark, and SPARK_REMOTE is not set",
                role="analytics",
                hint="set SPARK_REMOTE=sc://host:15002",
            )
        try:
            return spark(setting.text, over)
        except RoutingError as error:
            raise error.at(role="analytics", chosen_by=chosen_by("SPARK_REMOTE", setting.env_file)) from None

    def _target(self, role: Role) -> tuple[str | None, Target]:
        for variable in (ROLE_VARIABLES[role], *SHARED_VARIABLES):
            if variable in self.variables:
                return variable, self._parse(role, variable, self.variables[variable])
        default, legacy = _in_folder(self.cwd, DEFAULT_FILES[role]), _in_folder(self.cwd, LEGACY_FILE)
        # A dangling link at the default name is a broken publication, no reason to read another file.
        if not os.path.lexists(default.path) and os.access(legacy.path, os.F_OK):
            return None, legacy
        return None, default

    def _parse(self, role: Role, variable: str, setting: Setting) -> Target:
        try:
            _check_defined(variable, setting)
            base = setting.env_file.parent if setting.env_file else self.cwd
            target = parse_target(setting.text, base=base)
            if isinstance(target.place, Server) and target.place.kind == "ducklake":
                target = target._replace(place=replace(target.place, storage=self._storage()))
            if role == "staging":
                _check_writable(target)
        except RoutingError as error:
            error.at(role=role, chosen_by=chosen_by(variable, setting.env_file))
            raise
        return target

    def _mode(self, role: Role, variable: str | None, place: Path | Server) -> Mode:
        other_role: Role = "analytics" if role == "staging" else "staging"
        try:
            other_variable, other = self._target(other_role)
        except RoutingError:
            return "dual"  # whoever asks for the other role is told; this one has a file of its own
        if not same_place(place, other.place):
            return "dual"
        own = {ROLE_VARIABLES[role], ROLE_VARIABLES[other_role]}
        return "single" if {variable, other_variable} & own else "legacy"


@lru_cache(maxsize=16)
def _settings(
    cwd: Path, texts: tuple[str, ...], env_file: Path | None, file_values: tuple[EnvValue | None, ...]
) -> Settings:
    variables: dict[str, Setting] = {}
    for name, text, value in zip(_VARIABLES, texts, file_values, strict=True):
        if text:
            variables[name] = Setting(text, "environment")
        elif value is not None and (text := value.text.strip()):
            variables[name] = Setting(text, ".env", env_file, value.undefined)
    return Settings(variables, cwd, env_file)


_folder = lru_cache(maxsize=8)(Path)


@lru_cache(maxsize=32)
def _in_folder(folder: Path, name: str) -> Target:
    return Target(folder / name, {})


def _check_defined(variable: str, setting: Setting) -> None:
    if setting.undefined:
        raise RoutingError(
            f"{variable} refers to ${{{setting.undefined}}}, which is not set",
            hint=f"set {setting.undefined}, or write ${{{setting.undefined}:-a default}}",
        )


def _check_writable(target: Target) -> None:
    """Refuse for staging what takes no writes of cells."""
    if target.options.get("mode") == "ro":
        raise RoutingError("the address says mode=ro, and staging takes writes")
    if isinstance(target.place, Server) and target.place.kind != "postgresql":
        raise RoutingError(
            f"{target.place.name} cannot be staging", hint="staging is a SQLite file or postgresql://…"
        )


def same_place(one: Path | Server, two: Path | Server) -> bool:
    """Whether two targets are one file (see `same_file`), or one server by its name."""
    if isinstance(one, Path) and isinstance(two, Path):
        return same_file(one, two)
    return str(one) == str(two)


def same_file(one: Path, two: Path) -> bool:
    """Whether two paths are one file, through symlinks and hard links, also where it does not exist yet."""
    if one == two:
        return True
    try:
        found = _stat(one), _stat(two)
    except OSError:
        found = None, None
    if found[0] and found[1]:
        return os.path.samestat(found[0], found[1])
    if found[0] or found[1]:
        return False  # the one is there, the other is not
    return os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(two))


def _stat(path: Path) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116 - pathlib costs more, in each cell
    except (FileNotFoundError, NotADirectoryError):
        return None
