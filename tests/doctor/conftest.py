"""Two healthy databases of the demo, and what breaks them."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from greynb.demo.run import Demo, build_demo
from greynb.doctor import Examination, Finding, Patient, examine
from greynb.routing import Settings


@pytest.fixture(scope="session")
def season(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small demo, made once."""
    return build_demo(tmp_path_factory.mktemp("season"), races=150).staging.parent


@pytest.fixture
def demo(season: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Demo:
    """A copy of the demo that the environment names, in a folder of its own, which is the working one."""
    folder = tmp_path / "races"
    shutil.copytree(season, folder, symlinks=True)
    made = Demo(
        folder / "greyhound_racing_data_stage.db",
        folder / "greyhound_racing_data_analytics.db",
        folder / "form_guides",
    )
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)
    return made


@pytest.fixture
def look() -> Iterator[Callable[..., Examination]]:
    """Examine what the environment names now."""

    def look(**options: float) -> Examination:
        patient = Patient(Settings.current(), **options)
        try:
            return examine(patient)
        finally:
            patient.close()

    yield look


def found(examination: Examination, name: str) -> Finding:
    """The one finding of a kind."""
    (only,) = [each for each in examination.findings if each.id == name]
    return only


def ids(examination: Examination, *levels: str) -> set[str]:
    """Which kinds were found, of some levels or of all."""
    return {each.id for each in examination.findings if not levels or each.level in levels}


def change(path: Path, *statements: str) -> None:
    """Change a database as any program would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        for each in statements:
            con.execute(each)
