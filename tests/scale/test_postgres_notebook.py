"""The same notebook on PostgreSQL: a real kernel, only the environment is another; no password anywhere."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.notebook.kernel import Kernel, Reply, started
from tests.scale.server import PostgresServer


class Notebook:
    """A kernel whose every reply is searched for the password."""

    def __init__(self, kernel: Kernel, secrets: list[str]) -> None:
        self.kernel = kernel
        self._secrets = secrets

    def run(self, code: str, **how: float) -> Reply:
        reply = self.kernel.run(code, **how)  # type: ignore[arg-type]
        said = reply.stdout + reply.stderr + reply.traceback + json.dumps(reply.outputs)
        assert not [each for each in self._secrets if each in said]
        return reply

    def shown(self, code: str) -> str:
        reply = self.run(code)
        assert reply.error is None, reply.traceback
        return "\n".join([*reply.shown(), reply.stdout])

    def completed(self, code: str) -> list[str]:
        """What Tab offers at the mark ``|``."""
        at = code.index("|")
        reply = self.kernel.client.complete(code.replace("|", ""), at, reply=True, timeout=60)
        found: list[str] = reply["content"]["matches"]
        return found

    def inspected(self, code: str) -> str:
        """What Shift+Tab says at the mark ``|``."""
        at = code.index("|")
        reply = self.kernel.client.inspect(code.replace("|", ""), at, reply=True, timeout=60)
        return str(reply["content"]["data"].get("text/plain"))


@pytest.fixture(scope="module")
def url(postgres: PostgresServer) -> str:
    return postgres.url(postgres.database())


@pytest.fixture(scope="module")
def notebook(
    postgres: PostgresServer, url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Notebook]:
    folder = tmp_path_factory.mktemp("notebook")
    (folder / ".env").write_text(f"STAGING_DB_PATH={url}\nANALYTICS_DB_PATH=analytics.db\n")
    with started(folder) as kernel:
        found = Notebook(kernel, [postgres.password, "hunter2"])
        assert found.run(f"%load_ext greynb\n%config Greynb.cache_folder = '{folder}'").error is None
        found.shown("%%staging\nCREATE TABLE races (id bigint PRIMARY KEY, venue text, price numeric(10, 2))")
        yield found


def test_cells_load_publish_and_read(notebook: Notebook) -> None:
    notebook.shown("import pandas as pd; ids = [1, 2]; limit = 5")
    notebook.shown("df = pd.DataFrame({'id': [1, 2, 3], 'venue': 'RICH', 'price': 1.5})")
    assert "3 inserted" in notebook.shown("%staging load df --into races --key id --on-conflict update")
    assert "1.50 2" in notebook.shown(
        "%%staging n <<\nSELECT price, count(*) AS n FROM races WHERE id IN (:ids) GROUP BY price\n"
    ) + notebook.shown("print(f\"{n['price'][0]:.2f}\", n['n'][0])")
    assert "full" in notebook.shown("%greynb sync")
    notebook.shown("%%staging\nUPDATE races SET venue = 'TAR' WHERE id = :limit - 2")
    assert "by changed rows" in notebook.shown("%greynb sync")
    assert "TAR" in notebook.shown("%%analytics\nSELECT venue FROM races WHERE id = 3")
    status = notebook.shown("%greynb status")
    assert "PostgreSQL 1" in status and "nothing behind staging" in status
    assert "gen-000002" in notebook.shown("%greynb history")
    assert "equal" in notebook.shown("%greynb verify")


def test_a_result_knows_where_it_came_from_without_the_password(
    notebook: Notebook, postgres: PostgresServer
) -> None:
    notebook.shown("%%staging found <<\nSELECT * FROM races")
    origin = notebook.shown("print(found.attrs['greynb'])")
    assert f"postgresql://greynb@127.0.0.1:{postgres.port}/" in origin


def test_tab_and_inspection_know_the_tables_of_the_server(notebook: Notebook) -> None:
    assert "venue" in notebook.completed("%%staging\nSELECT * FROM races r WHERE r.v|")
    assert "races" in notebook.completed("%%staging\nSELECT * FROM ra|")
    words = notebook.completed("%%staging\nINSERT INTO races VALUES (1) ON|")
    assert "ON CONFLICT" in words
    assert "jsonb_build_object(" in notebook.completed("%%staging\nSELECT jsonb_bui| FROM races")
    assert "timestamptz" in notebook.completed("%%staging\nSELECT now()::timestamp|")
    assert "PRAGMA" not in notebook.completed("%%staging\nP|")
    assert "→ text" in notebook.inspected("%%staging\nSELECT to_ch|ar(1, '9') FROM races")
    said = notebook.inspected("%%staging\nSELECT ven|ue FROM races")
    assert "text" in said and "RICH (2×)" in said
    said = notebook.inspected("%%staging\nSELECT venue FROM rac|es")
    assert "3 rows" in said and "numeric(10,2)" in said


def test_postgresqls_sql_is_laid_out_as_such(notebook: Notebook) -> None:
    body = "create function f() returns int language sql as $$ select  1; select 2 $$"
    shown = notebook.shown(
        f"from greynb.notebook.formatting import format_sql\nprint(format_sql('%%staging\\n{body}'))"
    )
    assert "$$ select  1; select 2 $$" in shown and "CREATE" in shown


def test_columns_are_profiled_on_both_roles(notebook: Notebook) -> None:
    shown = notebook.shown("%%staging --profile\nSELECT * FROM races")
    assert "profile of" in shown and "RICH" in shown
    assert "3 rows, 3 columns" in notebook.shown("%greynb profile races")


def test_changes_between_publications_from_the_server_are_counted(notebook: Notebook) -> None:
    assert ["races", "0", "1", "0"] in [
        line.split() for line in notebook.shown("%greynb changes").splitlines()
    ]
    assert "TAR" in notebook.shown("%greynb changes --table races")


def test_an_error_is_a_short_block_also_where_tracebacks_are_verbose(notebook: Notebook) -> None:
    reply = notebook.run(
        "%%staging\nINSERT INTO races VALUES (9, 'x', 1);\nINSERT INTO races VALUES (1, 'x', 1)"
    )
    assert reply.error is not None
    assert "statement 2: duplicate key" in reply.traceback and "nothing was written" in reply.traceback
    assert "line 3" in reply.traceback and "STAGING_DB_PATH in" in reply.traceback
    notebook.shown("%xmode Verbose")
    assert notebook.run("%%staging\nSELECT nothing FROM races").error == "QueryError"
    assert notebook.run("import greynb\ngreynb.load(df, 'nowhere')").error == "LoadError"
    notebook.run("%tb Verbose")
    notebook.shown("%xmode Context")


def test_an_interrupt_stops_the_server_and_the_next_cell_runs(notebook: Notebook, url: str) -> None:
    for _ in range(5):
        reply = notebook.run(
            "%%staging\nUPDATE races SET venue = 'x'; SELECT pg_sleep(100)", interrupt_after=0.4
        )
        assert reply.error == "QueryInterrupted" and reply.seconds < 2
    assert "TAR" in notebook.shown("%%staging\nSELECT venue FROM races WHERE id = 3")


def test_analytics_is_read_from_the_server_where_it_serves_that(notebook: Notebook, url: str) -> None:
    notebook.shown(f"import os; os.environ['ANALYTICS_DB_PATH'] = {url!r}")
    assert "TAR" in notebook.shown("%%analytics\nSELECT venue, price FROM races WHERE id = :limit - 2")
    assert "races" in notebook.shown("%greynb tables")
    assert "numeric(10,2)" in notebook.shown("%greynb columns races")
    assert "3 rows, 3 columns" in notebook.shown("%greynb profile races")
    assert "profile of" in notebook.shown("%%analytics --profile\nSELECT * FROM races")
    assert "venue" in notebook.completed("%%analytics\nSELECT r.v| FROM races r")
    assert "RICH (2×)" in notebook.inspected("%%analytics\nSELECT ven|ue FROM races")
    assert "nothing to copy" in notebook.shown("%greynb sync")
    assert "one database" in notebook.shown("%greynb verify")
    assert "nothing behind staging" in notebook.shown("%greynb status")
    for command in ("history", "rollback", "changes", "pin"):
        assert "keeps no versions" in notebook.run(f"%greynb {command}").traceback, command
    notebook.shown("del os.environ['ANALYTICS_DB_PATH']")


def test_a_server_that_is_down_refuses_or_is_silent_is_told_within_seconds(
    notebook: Notebook, postgres: PostgresServer, url: str
) -> None:
    with socket.socket() as silent, socket.socket() as closed:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        closed.bind(("127.0.0.1", 0))
        there, gone = silent.getsockname()[1], closed.getsockname()[1]
        name = url.rpartition("/")[2]
        cases = {
            postgres.url(name, password="hunter2"): ("refused the connection", postgres.port, 3),
            f"postgresql://ann:hunter2@127.0.0.1:{gone}/x": ("cannot be reached", gone, 3),
            f"postgresql://ann:hunter2@127.0.0.1:{there}/x": ("did not answer in 3 s", there, 5),
        }
        for address, (said, port, seconds) in cases.items():
            for role, magic in (("STAGING", "staging"), ("ANALYTICS", "analytics")):
                notebook.shown(f"os.environ['{role}_DB_PATH'] = {address!r}")
                begun = time.monotonic()
                reply = notebook.run(f"%%{magic}\nSELECT 1 AS x")
                took = time.monotonic() - begun
                assert said in reply.traceback and f"127.0.0.1:{port}" in reply.traceback
                assert f"{role}_DB_PATH" in reply.traceback
                assert took < seconds + 2, "the machine may be busy"
                assert "PostgreSQL" in notebook.shown("%greynb status")
                notebook.shown(f"del os.environ['{role}_DB_PATH']")


def test_the_log_and_the_files_beside_the_notebook_hold_no_password(
    notebook: Notebook, postgres: PostgresServer, tmp_path: Path
) -> None:
    notebook.shown(f"%config Greynb.log = True\n%config Greynb.log_file = '{tmp_path / 'log.db'}'")
    notebook.shown("%%staging\nSELECT 1 AS logged")
    notebook.run("%%staging\nSELECT wrong")
    assert "logged" in notebook.shown("%greynb log")
    written = [each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()]
    assert written and not [each for each in written if postgres.password.encode() in each]


def test_scripts_write_through_the_driver_itself(url: str, tmp_path: Path, monkeypatch) -> None:
    import greynb

    monkeypatch.setenv("STAGING_DB_PATH", url)
    with greynb.get_conn("staging", engine="postgresql") as con:
        assert isinstance(con, psycopg.Connection)
        con.execute("INSERT INTO races VALUES (%s, %s)", (77, "script"))
    with psycopg.connect(url) as other:
        assert other.execute("SELECT venue FROM races WHERE id = 77").fetchall() == [("script",)]
    with pytest.raises(greynb.GreynbError, match="works on a SQLite file"):
        greynb.get_conn("staging", engine="sqlite")
