"""Lines of a ``.env`` file are set without losing any other."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import example, given
from hypothesis import strategies as st

from greynb.errors import UsageError
from greynb.migration.envlines import rewritten, write

FILE = Path(".env")
WANTED = {"STAGING_DB_PATH": "/srv/races/stage.db", "ANALYTICS_DB_PATH": "/srv/o'hara \\ #1/analytics.db"}


def values(text: str) -> dict[str, str | None]:
    return dict(dotenv_values(stream=io.StringIO(text), interpolate=False))


texts = st.text(alphabet=st.sampled_from(["\n", "\r", "=", "#", " ", "'", '"', "\\", "$", "{", "a", "ü"]))
lines = st.lists(
    st.sampled_from(["STAGING_DB_PATH=old", "export STAGING_DB_PATH='a\nb'", "KEY=1", "# note", "X", ""])
    | texts
)


@given(lines.map("\n".join), st.booleans())
@example("A='open", True)
@example("STAGING_DB_PATH", False)
@example("\ufeffA=1", False)
def test_other_values_stay_and_ours_are_read_back_or_nothing_is_done(text, ends):
    text += "\n" if ends else ""
    try:
        new = rewritten(text, WANTED, FILE)
    except UsageError:
        return
    before, after = values(text.removeprefix("\ufeff")), values(new.removeprefix("\ufeff"))
    assert {name: after[name] for name in WANTED} == WANTED
    assert {k: v for k, v in after.items() if k not in WANTED} == {
        k: v for k, v in before.items() if k not in WANTED
    }
    assert rewritten(new, WANTED, FILE) == new


def test_an_old_value_becomes_a_comment_in_its_place():
    text = "A=1\r\n\r\nexport STAGING_DB_PATH=old.db # mine\r\nB=${STAGING_DB_PATH}.bak\r\n"
    assert rewritten(text, {"STAGING_DB_PATH": "/new.db"}, FILE) == (
        "A=1\r\n\r\n# export STAGING_DB_PATH=old.db # mine\r\nSTAGING_DB_PATH=/new.db\r\n"
        "B=${STAGING_DB_PATH}.bak\r\n"
    )


def test_a_quote_that_is_left_open_would_swallow_the_lines_so_nothing_is_written(tmp_path):
    env = tmp_path / ".env"
    env.write_text("A='open\n")
    with pytest.raises(UsageError, match="STAGING_DB_PATH="):
        write(env, WANTED)
    assert [each.name for each in tmp_path.iterdir()] == [".env"]
    assert env.read_text() == "A='open\n"


def test_a_link_is_followed_a_file_made_and_old_copies_are_not_overwritten(tmp_path):
    real = tmp_path / "real.env"
    (tmp_path / ".env").symlink_to(real)
    assert write(tmp_path / ".env", {"A": "1"}) is None
    assert (tmp_path / ".env").is_symlink() and real.read_text() == "A=1\n"
    assert write(tmp_path / ".env", {"A": "1"}) is None
    first = write(tmp_path / ".env", {"A": "2"})
    second = write(tmp_path / ".env", {"A": "3"})
    assert first.read_text() == "A=1\n" and second.read_text() == "# A=1\nA=2\n"
