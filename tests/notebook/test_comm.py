"""The comms with JupyterLab, from a client's side, with a real kernel."""

from __future__ import annotations

import queue
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.notebook.kernel import Kernel, started
from tests.notebook.shell import make_databases

SLOW = "SELECT sum(sin(i) * cos(j)) FROM range(300000) a(i), range(300000) b(j)"


class FrontEnd:
    """What the labextension does: hears events, and asks over a comm and a subshell of its own."""

    def __init__(self, kernel: Kernel) -> None:
        self.client = kernel.client
        created = self._control("create_subshell_request")
        self.subshell = created["subshell_id"]
        self.comm = uuid.uuid4().hex
        self._send("comm_open", target_name="greynb.requests", data={})

    def ask(self, do: str, timeout: float = 20, **values: Any) -> dict[str, Any]:
        """The answer to one request."""
        name = uuid.uuid4().hex
        self._send("comm_msg", data={"id": name, "do": do, **values})
        return self.hear(lambda comm, data: comm == self.comm and data.get("id") == name, timeout)

    def hear(self, wanted: Any, timeout: float = 20) -> dict[str, Any]:
        """The next message of a comm that is wanted."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            try:
                message = self.client.get_iopub_msg(timeout=0.1)
            except queue.Empty:
                continue
            content = message["content"]
            if message["msg_type"] == "comm_msg" and wanted(content["comm_id"], content["data"]):
                return dict(content["data"])
        raise TimeoutError

    def _send(self, kind: str, **content: Any) -> None:
        message = self.client.session.msg(kind, {"comm_id": self.comm, **content})
        message["header"]["subshell_id"] = self.subshell
        self.client.shell_channel.send(message)

    def _control(self, kind: str) -> dict[str, Any]:
        self.client.control_channel.send(self.client.session.msg(kind, {}))
        return dict(self.client.get_control_msg(timeout=20)["content"])


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("comm")
    with pytest.MonkeyPatch.context() as patch:
        for name, path in make_databases(folder).items():
            patch.setenv(name, path)
        with started(folder) as kernel:
            assert kernel.run("%load_ext greynb").error is None
            yield kernel


@pytest.fixture(scope="module")
def front(kernel: Kernel) -> FrontEnd:
    return FrontEnd(kernel)


def test_status_says_which_files_serve_the_roles_and_how_fresh_they_are(front: FrontEnd) -> None:
    status = front.ask("status")["answer"]
    assert [role["name"] for role in status["roles"]] == ["analytics.db", "stage.db"]
    assert status["mode"] == "dual"
    assert status["running"] is None
    assert "lag unknown" in status["lag"]


def test_tables_and_columns_are_those_that_cells_read(front: FrontEnd) -> None:
    tables = {each["name"]: each for each in front.ask("tables")["answer"]}
    assert set(tables) == {"races", "runs"}
    columns = front.ask("columns", table="races")["answer"]
    assert [(each["name"], each["type"]) for each in columns][2] == ("race_date", "DATE")
    assert {each["name"]: each["nulls"] for each in columns}["runners"] == 1


def test_versions_are_listed_pinned_and_rolled_back(kernel: Kernel, front: FrontEnd) -> None:
    for mode in ("full", "full"):
        assert kernel.run(f"%greynb sync --mode {mode}").error is None
    newest, older, *_ = front.ask("versions")["answer"]
    assert newest["current"] and not older["current"]
    assert front.ask("pin", version=older["id"])["answer"] == older["id"]
    assert front.ask("status")["answer"]["pinned"] == older["id"]
    assert front.ask("unpin")["answer"] == newest["id"]
    front.ask("rollback", version=older["id"])
    again = front.ask("versions")["answer"][0]
    assert (again["mode"], again["source"]) == ("rollback", older["id"])


def test_what_cannot_be_done_is_answered_with_what_to_do_about_it(front: FrontEnd) -> None:
    error = front.ask("pin", version="gen-999999")["error"]
    assert "999999" in error["message"]
    assert error["hint"]
    assert "no request" in front.ask("nonsense")["error"]["message"]


def test_queries_are_those_of_this_kernel_newest_first(kernel: Kernel, front: FrontEnd) -> None:
    kernel.run("%%analytics\nSELECT * FROM races")
    kernel.run("%%analytics\nSELECT nothing FROM races")
    failed, ran = front.ask("queries")["answer"][:2]
    assert (ran["sql"], ran["rows"], ran["error"]) == ("SELECT * FROM races", 4, "")
    assert "nothing" in failed["error"]


def test_a_running_query_is_told_of_and_requests_are_answered_meanwhile(
    kernel: Kernel, front: FrontEnd
) -> None:
    message = kernel.client.execute(f"%%analytics\n{SLOW}")
    try:
        told = front.hear(lambda _, data: data.get("event") == "running")
        assert told["label"] == "analytics"
        assert told["seconds"] >= 0.3
        assert front.ask("status")["answer"]["running"]["label"] == "analytics"
        assert "answer" in front.ask("queries")
        assert "running a query" in front.ask("tables")["error"]["message"]
    finally:
        kernel.manager.interrupt_kernel()
    assert front.hear(lambda _, data: data.get("event") == "ended")
    reply = kernel.client.get_shell_msg(timeout=20)
    assert reply["parent_header"]["msg_id"] == message
    assert reply["content"]["ename"] == "QueryInterrupted"
    assert front.ask("status")["answer"]["running"] is None


def test_requests_are_no_cells_to_ipython(kernel: Kernel, front: FrontEnd) -> None:
    kernel.run("ended = []; get_ipython().events.register('post_execute', lambda: ended.append(1))")
    before = int(kernel.run("print(len(ended))").stdout)
    front.ask("queries")
    assert int(kernel.run("print(len(ended))").stdout) == before + 1


def test_unloading_closes_the_comms_and_loading_again_opens_them(kernel: Kernel) -> None:
    def events() -> int:
        kernel.client.comm_info(target_name="greynb")
        reply = kernel.client.get_shell_msg(timeout=20)
        return len(reply["content"]["comms"])

    assert events() == 1
    kernel.run("%unload_ext greynb")
    assert events() == 0
    kernel.run("%load_ext greynb")
    assert events() == 1
