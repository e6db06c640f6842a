"""The doctor beside a PostgreSQL: no fault of a file is found where there is none, and a dead server is."""

from __future__ import annotations

from greynb.cli import main
from tests.scale.server import free_port


def test_staging_on_a_server_that_answers_is_no_error(url, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STAGING_DB_PATH", url)
    main(["doctor", "--json"])
    told = capsys.readouterr().out
    assert "variable-unusable" not in told and "server-unreachable" not in told


def test_a_server_that_does_not_answer_is_an_error_without_its_password(
    tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STAGING_DB_PATH", f"postgresql://greynb:secret@127.0.0.1:{free_port()}/races")
    assert main(["doctor"]) == 5
    told = capsys.readouterr().out
    assert "error: the server does not answer · staging [server-unreachable]" in told
    assert "cannot be reached" in told and "chosen by STAGING_DB_PATH" in told and "secret" not in told
