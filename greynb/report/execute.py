"""Running a notebook from the first cell to the last in a kernel of its own."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greynb.errors import GreynbError, UsageError
from greynb.report.parameters import inject

if TYPE_CHECKING:
    from jupyter_client.manager import KernelManager
    from nbclient import NotebookClient
    from nbformat import NotebookNode

    from greynb.publish.steps import Progress

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
# Results come with their structure, beside the HTML that a person would see. Leaves no name behind.
_HAND_OVER = "__import__('greynb.notebook.reporting', fromlist=['start']).start()"
_SLICE = 0.05  # seconds; a wait without end would not see Ctrl-C everywhere
_INSTALL = 'pip install "greynb[report]"'


class NotebookFailed(GreynbError):
    """A cell of a notebook raised an error; the cells after it were not run."""


def execute_notebook(
    path: Path,
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    parameters: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> NotebookNode:
    """Run a notebook and give it back with its outputs; the file itself is left as it is.

    The kernel is the Python that runs this, whatever kernels are installed elsewhere.

    Parameters
    ----------
    path
        The notebook.
    cwd
        The folder that it runs in.
    env
        Variables to set for it, on top of this process's own.
    parameters
        Values for the names of its cell tagged ``parameters``, as `greynb.report.parameters` reads them.
    progress
        Called before each cell with its number in the notebook and the share of cells done, 0 to 1.

    Raises
    ------
    NotebookFailed
        With the short error of the cell that failed.
    UsageError
        The extra ``greynb[report]`` is not installed.
    """
    node = read_notebook(path)
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    for cell in node.cells:
        if cell.cell_type == "code":  # what a cell showed once is no result of this run, which may skip it
            cell.outputs, cell.execution_count = [], None
    total, injected = len(node.cells), inject(node, parameters or {})

    def started(cell: NotebookNode, cell_index: int) -> None:
        if progress and cell_index != injected:
            number = _number(cell_index, injected)
            progress(f"{path.name}: cell {number} of {total}", (number - 1) / total)

    client = NotebookClient(
        node,
        km=_kernel(env or {}),
        timeout=None,
        on_cell_start=started,
        resources={"metadata": {"path": str(cwd)}},
    )
    try:
        _run(client)
    except CellExecutionError as error:
        raise _failed(path, node, error, injected) from None
    except DeadKernelError:
        raise NotebookFailed("the notebook's kernel died", path=path) from None
    if progress:
        progress(f"{path.name}: cell {total} of {total}", 1.0)
    node.metadata["greynb"] = {"notebook": path.name}
    return node


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook.

    Raises
    ------
    UsageError
        It is not one, or the extra ``greynb[report]`` is not installed.
    """
    try:
        import nbclient  # noqa: F401  # what runs the notebook comes with what reads it
        import nbformat
    except ImportError as error:
        raise UsageError("notebooks cannot be run here", hint=_INSTALL) from error
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError, nbformat.reader.NotJSONError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError("this is not a notebook that can be read", detail=f"  {first}", path=path) from error


def _kernel(env: Mapping[str, str]) -> KernelManager:
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    class ThisPython(KernelSpecManager):
        """Knows one kernel: the running interpreter, with `env` set."""

        def get_kernel_spec(self, kernel_name: str) -> Any:
            argv = [sys.executable, "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "--log-level=ERROR"]
            argv.append("--Greynb.record=True")  # each result with its origin, for the page and for verify
            return KernelSpec(
                argv=[*argv, f"--IPKernelApp.exec_lines={_HAND_OVER}", "-f", "{connection_file}"],
                language="python",
                display_name="greynb",
                env=dict(env),
            )

    return AsyncKernelManager(kernel_name="greynb", kernel_spec_manager=ThisPython())


def _run(client: NotebookClient) -> None:
    """Run the notebook on a thread of its own, and wait for it here, where Ctrl-C arrives.

    On the main thread nbclient takes the signal itself, and ends in an error of some kind.
    """
    work: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    async def execute() -> None:
        task = asyncio.current_task()
        assert task is not None
        work.append((asyncio.get_running_loop(), task))
        await client.async_execute(cleanup_kc=True)  # else a kernel that it did not choose is left alone

    with ThreadPoolExecutor(1, "greynb notebook") as pool:
        future = pool.submit(asyncio.run, execute())
        try:
            while not future.done():
                wait([future], timeout=_SLICE)
        except BaseException:
            client.shutdown_kernel = "immediate"
            for loop, task in work:
                with suppress(RuntimeError):  # it has just come to its end
                    loop.call_soon_threadsafe(task.cancel)
            raise
        future.result()


def _number(place: int, injected: int | None) -> int:
    """The number of a cell in its notebook, from 1, where one cell more was put in."""
    return place + (1 if injected is None or place < injected else 0)


def _failed(path: Path, node: NotebookNode, error: Exception, injected: int | None) -> NotebookFailed:
    """Say which cell failed, the last one that ran, with its first line and the last lines of its error."""
    for place, cell in reversed(list(enumerate(node.cells))):
        outputs = cell.get("outputs", [])
        if any(output.output_type == "error" for output in outputs):
            lines = [f"{o.ename}: {o.evalue}" for o in outputs if o.output_type == "error"]
            shown = [o.text for o in outputs if o.output_type == "stream" and o.name == "stderr"]
            first = next(iter(cell.source.strip().splitlines()), "")
            detail = _COLOURS.sub("", "\n".join([f"  cell: {first}", *shown, *lines])).strip("\n")
            number = _number(place, injected)
            return NotebookFailed(f"cell {number} of the notebook failed", detail=detail, path=path)
    return NotebookFailed("a cell of the notebook failed", detail=_COLOURS.sub("", str(error)), path=path)
