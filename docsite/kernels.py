"""A real kernel, and the outputs of its cells as HTML."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


class Kernel:
    """A kernel of the Python that comes first on the session's ``PATH``."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        python = shutil.which("python3", path=environ["PATH"])
        self._manager = KernelManager()
        spec = self._manager.kernel_spec
        if python is None or spec is None:
            raise RuntimeError("there is no kernel of Python")
        spec.argv[0] = python
        self._manager.start_kernel(cwd=str(folder), env=dict(environ), stderr=subprocess.DEVNULL)
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=120)

    def run(self, code: str) -> tuple[bool, str]:
        """Run a cell; give whether it failed, and its outputs as a notebook would hold them."""
        outputs: list[tuple[str | None, str]] = []

        def received(message: dict[str, Any]) -> None:
            kind, content = message["msg_type"], message["content"]
            if kind == "clear_output":
                outputs.clear()
            elif html := _html(kind, content):
                shown = content.get("transient", {}).get("display_id")
                at = next((i for i, (each, _) in enumerate(outputs) if shown and each == shown), None)
                if at is None:
                    outputs.append((shown, html))
                else:
                    outputs[at] = (shown, html)

        reply = self._client.execute_interactive(code, output_hook=received, timeout=120)
        return reply["content"]["status"] == "error", "\n".join(html for _, html in outputs)

    def stop(self) -> None:
        """End the kernel."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


def _html(kind: str, content: dict[str, Any]) -> str:
    if kind == "stream":
        return _pre(content["text"])
    if kind == "error":
        return _pre("\n".join(content["traceback"]))
    data = content.get("data", {})
    return data.get("text/html") or _pre(data.get("text/plain", ""))


def _pre(text: str) -> str:
    plain = _ESCAPES.sub("", text).rstrip()
    return f"<pre>{escape(plain)}</pre>" if plain else ""
