"""What `pip install greynb` puts on a machine."""

from __future__ import annotations

import zipfile

import pytest

from docsite import ROOT


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """The files of the wheel."""
    from hatchling.builders.wheel import WheelBuilder

    folder = tmp_path_factory.mktemp("wheel")
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(wheel) as packed:
        return packed.namelist()


def test_a_wheel_brings_one_package_and_no_tools_of_this_repository(names):
    top = {name.partition("/")[0] for name in names}
    assert {name for name in top if not name.startswith("greynb-")} == {"greynb"}


def test_a_wheel_brings_the_notebooks_the_messages_and_the_labextension(names):
    for folder in ("notebooks", "docs/troubleshooting", "lab/greynb"):
        ours = {each.name for each in (ROOT / folder).rglob("*") if each.suffix in (".ipynb", ".md", ".js")}
        assert ours
        assert ours <= {name.rpartition("/")[2] for name in names}
