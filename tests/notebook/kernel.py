"""A real IPython kernel for tests: run code in it, interrupt it, see what it shows."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager


@dataclass
class Reply:
    """What one execution showed.

    ``outputs`` are the cell's outputs as a saved notebook would hold them (clearing and updating of
    displays done), ``seconds`` the time from the request (or the interrupt, if there was one) to idle.
    """

    stdout: str = ""
    stderr: str = ""
    error: str | None = None
    traceback: str = ""
    outputs: list[dict[str, Any]] = field(default_factory=list)
    updates: int = 0
    seconds: float = 0.0

    def shown(self, mime: str = "text/plain") -> list[str]:
        """The texts of displays and results."""
        return [output["data"][mime] for output in self.outputs if mime in output.get("data", {})]


class Kernel:
    """A started kernel."""

    def __init__(self, manager: KernelManager) -> None:
        self.manager = manager
        self.client = manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(
        self, code: str, *, interrupt_after: float | None = None, interrupts: int = 1, timeout: float = 60
    ) -> Reply:
        """Execute a cell; with ``interrupt_after`` seconds, interrupt the kernel that long after it began.

        Several ``interrupts`` follow one another at once; the time counts from the first.
        """
        begun = time.monotonic()
        due: float | None = None
        message = self.client.execute(code)
        reply = Reply()
        displays: dict[str, dict[str, Any]] = {}
        while time.monotonic() < begun + timeout:
            if due is not None and time.monotonic() >= due:
                due, begun = None, time.monotonic()
                for _ in range(interrupts):
                    self.manager.interrupt_kernel()
            try:
                received = self.client.get_iopub_msg(timeout=0.02)
            except queue.Empty:
                continue
            if received["parent_header"].get("msg_id") != message:
                continue
            if received["msg_type"] == "status" and received["content"]["execution_state"] == "idle":
                reply.seconds = time.monotonic() - begun
                self.client.get_shell_msg(timeout=10)
                return reply
            if received["msg_type"] == "execute_input" and interrupt_after is not None:
                due = time.monotonic() + interrupt_after
            _take(reply, displays, received["msg_type"], received["content"])
        raise TimeoutError(code)


def _take(reply: Reply, displays: dict[str, dict[str, Any]], kind: str, content: dict[str, Any]) -> None:
    if kind == "stream":
        reply.stdout += content["text"] if content["name"] == "stdout" else ""
        reply.stderr += content["text"] if content["name"] == "stderr" else ""
        reply.outputs.append({"output_type": "stream", **content})
    elif kind == "error":
        reply.error, reply.traceback = content["ename"], "\n".join(content["traceback"])
    elif kind == "clear_output":
        reply.outputs.clear()
    elif kind == "update_display_data":
        reply.updates += 1
        displays[content["transient"]["display_id"]]["data"] = content["data"]
    elif kind in ("display_data", "execute_result"):
        output = {"output_type": kind, "data": content["data"]}
        reply.outputs.append(output)
        if display := content.get("transient", {}).get("display_id"):
            displays[display] = output


@contextmanager
def started(cwd: Path) -> Iterator[Kernel]:
    """Start a kernel in a folder, and end it."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(cwd))
    try:
        kernel = Kernel(manager)
        yield kernel
        kernel.client.stop_channels()
    finally:
        manager.shutdown_kernel(now=True)
