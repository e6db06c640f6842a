"""`greynb.export`: what is written where, and what is left when it fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import greynb
from greynb.errors import QueryInterrupted, UsageError
from tests.report.exports.rows import ALL, csv_rows, races, record_beside


def test_one_call_writes_several_formats_and_says_what(tmp_path: Path) -> None:
    paths = [tmp_path / f"x.{suffix}" for suffix in ALL]
    done = greynb.export(races(), *paths)
    assert done.paths == tuple(paths) and done.rows == 2
    assert done.bytes == tuple(path.stat().st_size for path in paths)
    assert f"{tmp_path / 'x.csv'}: 2 rows, " in str(done)
    assert "x.xlsx" in done._repr_html_()


def test_a_path_may_be_text_with_a_home_folder_and_new_folders_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    done = greynb.export(races(), "~/new folder/it's {x}/races.CSV")
    assert done.paths == (tmp_path / "new folder" / "it's {x}" / "races.CSV",)
    assert csv_rows(done.paths[0])[1] == ["a1", "8"]
    assert f"note: the folder {done.paths[0].parent} was made" in str(done)
    assert "was made" not in str(greynb.export(races(), "~/new folder/it's {x}/races.CSV"))


def test_an_export_that_fails_leaves_no_folder_behind(tmp_path: Path) -> None:
    def stop(_part: float) -> None:
        raise QueryInterrupted("stopped")

    with pytest.raises(QueryInterrupted):
        greynb.export(races(), tmp_path / "new" / "deep" / "x.csv", progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_million_rows_are_not_cut(tmp_path: Path) -> None:
    frame = pd.DataFrame({"n": range(1_000_001)})
    for suffix in ("csv", "md", "json", "parquet"):
        greynb.export(frame, tmp_path / f"x.{suffix}")
    assert pq.read_metadata(tmp_path / "x.parquet").num_rows == 1_000_001
    lines = (tmp_path / "x.csv").read_text(encoding="utf-8").split()
    assert len(lines) == 1_000_002 and lines[-1] == "1000000"
    assert (tmp_path / "x.md").read_text(encoding="utf-8").endswith("| 999999 |\n| 1000000 |\n")
    assert (tmp_path / "x.json").read_text(encoding="utf-8").endswith('{"n":999999},\n{"n":1000000}\n]\n')


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"a": [1, None], "b": ["x", "y"], "c": pl.Series(["u", None], dtype=pl.Categorical)}),
        pl.LazyFrame({"a": [1, None], "b": ["x", "y"], "c": ["u", None]}),
        pa.table({"a": [1, None], "b": ["x", "y"], "c": pa.array(["u", None]).dictionary_encode()}),
        pa.record_batch({"a": [1, None], "b": pa.array(["x", "y"], pa.string_view()), "c": ["u", None]}),
        pd.DataFrame({"a": pd.array([1, None], "Int64"), "b": ["x", "y"], "c": pd.Categorical(["u", None])}),
        pd.DataFrame({"a": pd.array([1, None], "int64[pyarrow]"), "b": ["x", "y"], "c": ["u", None]}),
    ],
    ids=["polars", "polars lazy", "arrow", "arrow batch", "pandas", "pandas over arrow"],
)
def test_frames_of_pandas_polars_and_arrow_give_the_same_file(frame: object, tmp_path: Path) -> None:
    greynb.export(frame, *[tmp_path / f"x.{suffix}" for suffix in ALL])
    assert (tmp_path / "x.csv").read_bytes() == b"a,b,c\r\n1,x,u\r\n,y,\r\n"


@pytest.mark.parametrize("wrong", [[1, 2], None, pd.Series([1]), pl.Series([1]), pa.array([1])])
def test_what_is_no_frame_is_refused(wrong: object, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a table"):
        greynb.export(wrong, tmp_path / "x.csv")


def test_what_has_a_table_is_refused_with_where_it_is(tmp_path: Path) -> None:
    class Evaluation:
        table = pd.DataFrame({"a": [1]})

    with pytest.raises(UsageError, match="Evaluation is not a table") as caught:
        greynb.export(Evaluation(), tmp_path / "x.csv")
    assert caught.value.hint == "pass its frame: evaluation.table"


def test_a_frame_without_columns_is_refused_and_one_without_rows_is_not(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no columns"):
        greynb.export(pd.DataFrame(), tmp_path / "x.csv")
    empty = races().iloc[:0]
    greynb.export(empty, *[tmp_path / f"y.{suffix}" for suffix in ALL])
    assert (tmp_path / "y.csv").read_bytes() == b"race_id,runners\r\n"
    assert (tmp_path / "y.json").read_text(encoding="utf-8").split() == ["[", "]"]


def test_names_are_made_unique_texts_and_a_real_index_is_kept(tmp_path: Path) -> None:
    frame = pd.DataFrame([[1, 2, 3, 4]], columns=pd.Index(["a", "a", 7, None], dtype=object))
    done = greynb.export(frame, tmp_path / "x.csv")
    assert csv_rows(tmp_path / "x.csv")[0] == ["a", "a_1", "7", ""]
    assert "numbered: a_1" in done.notices[0]
    grouped = pd.DataFrame({"venue": ["A", "A"], "n": [1, 2]}).groupby("venue").agg({"n": ["sum", "max"]})
    done = greynb.export(grouped, tmp_path / "y.csv")
    assert csv_rows(tmp_path / "y.csv") == [["venue", "n_sum", "n_max"], ["A", "3", "2"]]
    assert "kept as venue" in done.notices[0]
    greynb.export(pd.DataFrame({"n": [1, 2]}, index=[10, 20]), tmp_path / "z.csv")
    assert csv_rows(tmp_path / "z.csv") == [["index", "n"], ["10", "1"], ["20", "2"]]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("x.exel", r"no format for the suffix '.exel'.*suffixes: .csv"),
        ("x.pdf", "no format"),
        ("x.xlxs", r"did you mean .xlsx\?"),
        ("x", "without a suffix"),
        ("", "needs the path"),
        ("a\0b.csv", "needs the path"),
        (".", "a folder is there"),
        ("file.csv/x.csv", "a file is where its folder would be"),
        ("~nobody-at-all/x.csv", "leads nowhere"),
        (f"{'n' * 300}.csv", "name is too long"),
    ],
)
def test_a_path_that_will_not_do_is_one_short_error(
    path: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match=f"(?s){message}"):
        greynb.export(races(), path)
    assert [each.name for each in tmp_path.iterdir()] == ["file.csv"]


def test_the_same_file_twice_and_no_file_at_all_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="named twice"):
        greynb.export(races(), tmp_path / "x.csv", f"{tmp_path}/./x.csv")
    with pytest.raises(UsageError, match="needs the path"):
        greynb.export(races())
    with pytest.raises(UsageError, match='"neutralise" or "keep"'):
        greynb.export(races(), tmp_path / "x.csv", formulas="no")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="a list is no path"):
        greynb.export(races(), [tmp_path / "x.csv"])  # type: ignore[arg-type]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="may not be written"):
        greynb.export(races(), tmp_path / "x.csv")


FULL = """
import resource, sys
import pandas as pd
import greynb
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for path in sys.argv[2:]:
    try:
        greynb.export(pd.DataFrame({"n": range(200_000)}), sys.argv[1], path)
    except greynb.UsageError as error:
        print(error.message)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of a file's size to set")
def test_a_disk_that_takes_no_more_leaves_everything_as_it_was(tmp_path: Path) -> None:
    paths = [str(tmp_path / "small.xlsx"), *(str(tmp_path / f"x.{suffix}") for suffix in ALL)]
    done = subprocess.run([sys.executable, "-c", FULL, *paths], capture_output=True, text=True, check=True)
    said = done.stdout.splitlines()
    assert len(said) == len(ALL) and all("could not be written" in line for line in said), done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ALL)
def test_an_interrupt_leaves_the_old_file_and_nothing_else(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{suffix}"
    greynb.export(races(), path)
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}

    def stop(part: float) -> None:
        if part > 0.3:
            raise QueryInterrupted("stopped")

    with pytest.raises(QueryInterrupted):
        greynb.export(pd.DataFrame({"n": range(500_000)}), path, force=True, progress=stop)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_progress_goes_from_nothing_to_all_over_all_files(tmp_path: Path) -> None:
    parts: list[float] = []
    greynb.export(
        pd.DataFrame({"n": range(100_000)}),
        *[tmp_path / f"x.{suffix}" for suffix in ALL],
        progress=parts.append,
    )
    assert parts == sorted(parts) and parts[-1] == 1 and len(parts) > 30


def test_a_symbolic_link_stays_and_its_file_is_written(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "real" / "x.csv")
    greynb.export(races(), tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert csv_rows(tmp_path / "real" / "x.csv")[2] == ["a2", "7"]


def test_the_frame_itself_is_left_as_it_was(tmp_path: Path) -> None:
    frame = races()
    copy, attrs = frame.copy(deep=True), dict(frame.attrs)
    greynb.export(frame, *[tmp_path / f"x.{suffix}" for suffix in ALL])
    pd.testing.assert_frame_equal(frame, copy)
    assert frame.attrs == attrs


def test_a_frame_of_no_query_says_what_is_known(tmp_path: Path) -> None:
    greynb.export(pd.DataFrame({"a": [1]}), tmp_path / "x.csv")
    (source,) = record_beside(tmp_path / "x.csv")["sources"]
    assert source["kind"] == "unknown" and source["rows"] == 1 and len(source["hash"]) == 64
