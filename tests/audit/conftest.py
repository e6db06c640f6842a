"""The corpus is material, not tests of ours: it is audited in a folder that is not below `tests`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

CORPUS = Path(__file__).parent / "corpus"
collect_ignore_glob = ["corpus/*"]


@pytest.fixture(scope="session")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the corpus in it."""
    return shutil.copytree(CORPUS, tmp_path_factory.mktemp("audited") / "collector")
