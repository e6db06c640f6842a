"""The two comms with the labextension.

Over ``greynb``, which the kernel opens when the extension is loaded, it tells all front ends when a query
runs. Over ``greynb.requests``, which each front end opens for itself, it answers what is asked. They are two
because ipykernel sends a front end's messages to the thread that used a comm last: what is asked must go to
the thread of its own (a subshell) that JupyterLab starts for it, so that it is answered while a cell runs.

https://jupyter-client.readthedocs.io/en/stable/messaging.html#custom-messages
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from comm import create_comm, get_comm_manager

from greynb.notebook import running

if TYPE_CHECKING:
    from comm.base_comm import BaseComm

EVENTS: Final = "greynb"
REQUESTS: Final = "greynb.requests"


class Channel:
    """The comms of one kernel, open as long as greynb is loaded in it."""

    def __init__(self) -> None:
        self._manager = get_comm_manager()
        self._manager.register_target(REQUESTS, self._opened)
        self._asking: list[BaseComm] = []
        self._events = create_comm(target_name=EVENTS)
        running.listen(self._events.send)

    def close(self) -> None:
        """Say goodbye to every front end."""
        running.forget(self._events.send)
        self._manager.unregister_target(REQUESTS, self._opened)
        for comm in (self._events, *self._asking):
            comm.close()

    def _opened(self, comm: BaseComm, _message: dict[str, Any]) -> None:
        def answer(message: dict[str, Any]) -> None:
            from greynb.notebook.comm.requests import answer

            comm.send(answer(message["content"]["data"]))

        # Not by `on_msg`, which has IPython's events of a cell around each message: in the midst of a cell,
        # matplotlib would take them for the cell's end, and its figures would be lost.
        comm.handle_msg = answer  # type: ignore[assignment]
        comm.on_close(lambda _message: self._asking.remove(comm))
        self._asking.append(comm)
