"""Saving is all or nothing, and replaces nothing by accident."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from pathlib import Path

import pytest

from greynb import Report
from greynb.errors import UsageError
from greynb.report.document import Document, save
from greynb.report.document.blocks import Picture


def test_several_formats_are_saved_at_once_and_folders_are_made(report: Report, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    made = report.save(*(folder / f"r.{suffix}" for suffix in ("html", "pdf", "xlsx", "md")))
    assert [path.name for path in made] == ["r.html", "r.pdf", "r.xlsx", "r.md"]
    assert {path.name for path in folder.iterdir()} == {
        *("r.html", "r.pdf", "r.xlsx", "r.md"),
        *("r.md.meta.json", "r_files"),
    }


def test_a_file_that_is_there_is_replaced_only_when_told_to(tmp_path: Path) -> None:
    path = tmp_path / "r.html"
    path.write_text("mine")
    with pytest.raises(UsageError, match=r"r\.html is already there"):
        Report("x").save(tmp_path / "r.pdf", path)
    assert path.read_text() == "mine" and not (tmp_path / "r.pdf").exists()
    Report("x").save(path, force=True)
    assert "<h1>x</h1>" in path.read_text()


def test_a_folder_of_pictures_that_is_there_is_no_ones_to_fill(tmp_path: Path) -> None:
    (tmp_path / "r_files").mkdir()
    (tmp_path / "r_files" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="r_files is already there"):
        Report("x").save(tmp_path / "r.md")
    Report("x").chart("<svg></svg>", alt="a").save(tmp_path / "r.md", force=True)
    assert {path.name for path in (tmp_path / "r_files").iterdir()} == {"mine.txt", "chart-1.svg"}


@pytest.mark.parametrize(
    ("name", "said"), [("r.docx", "no format for r.docx"), ("r", "no format"), ("", "a folder is there")]
)
def test_a_path_without_a_format_is_refused(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Report("x").save(name)


def test_no_path_is_refused() -> None:
    with pytest.raises(UsageError, match="no file"):
        Report("x").save()


def test_an_error_in_one_format_leaves_everything_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "r.html").write_text("old")
    broken = Document("x", (Picture(b"no PNG", "a picture"),))  # a page can hold it, a workbook cannot
    with pytest.raises(Exception, match=r"."):
        save(broken, tmp_path / "r.html", tmp_path / "r.xlsx", force=True)
    assert (tmp_path / "r.html").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]


def test_a_file_that_somebody_puts_there_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "r.html"

    class Meanwhile(dt.tzinfo):
        """A zone that is asked for its offset while the page is written."""

        def utcoffset(self, when: dt.datetime | None) -> dt.timedelta:
            path.write_text("mine", encoding="utf-8")
            return dt.timedelta(0)

        def dst(self, when: dt.datetime | None) -> None:
            return None

        def tzname(self, when: dt.datetime | None) -> str:
            return "UTC"

    document = Document("R", (), made=dt.datetime(2026, 11, 26, tzinfo=Meanwhile()))
    with pytest.raises(UsageError, match="already there"):
        save(document, path)
    assert path.read_text(encoding="utf-8") == "mine" and list(tmp_path.iterdir()) == [path]


def test_a_report_that_finds_the_disk_full_says_so_in_one_block_and_leaves_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        with pytest.raises(UsageError, match=r"^the file could not be written: the disk is full\n"):
            Report("A month").save(disk / "month.html")
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
