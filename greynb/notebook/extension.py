"""What ``%load_ext greynb`` adds to a shell, and ``%unload_ext greynb`` takes away again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from greynb.errors import GreynbError
from greynb.notebook import completing, inspecting, panels
from greynb.notebook.magics import SqlMagics
from greynb.notebook.sources import Evaluations

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from greynb.notebook.comm.channel import Channel

NAMES = {"cell": ("analytics", "staging"), "line": ("analytics", "staging", "greynb")}


class _Added(NamedTuple):
    """What `load` added to a shell, for `unload`."""

    magics: SqlMagics
    evaluations: Evaluations
    matcher: completing.Matcher
    replaced: dict[tuple[str, str], Any]
    channel: Channel | None


_loaded: WeakKeyDictionary[InteractiveShell, _Added] = WeakKeyDictionary()


def load(shell: InteractiveShell) -> None:
    """Register the magics and ``%config Greynb``, and keep what they replace."""
    if shell in _loaded:
        return
    table = shell.magics_manager.magics
    replaced = {(kind, name): table[kind].get(name) for kind, names in NAMES.items() for name in names}
    magics = SqlMagics(shell)
    shell.register_magics(magics)
    configurables: list[Any] = shell.configurables
    configurables.append(magics.settings)
    magics.settings.observe(lambda change: _shorten_errors(not change["new"]), "traceback")
    _shorten_errors(True)
    panels.add(shell)
    evaluations = Evaluations(shell, magics.settings)
    shell.events.register("post_run_cell", evaluations.after_cell)
    shell.events.register("pre_run_cell", _lend_methods)
    matcher = completing.matcher(shell)
    _matchers(shell).append(matcher)
    inspecting.add(shell)
    _loaded[shell] = _Added(magics, evaluations, matcher, replaced, _channel(shell))


def unload(shell: InteractiveShell) -> None:
    """Put back the magics that were there, drop the configuration, and close the sessions."""
    if shell not in _loaded:
        return
    magics, evaluations, matcher, replaced, channel = _loaded.pop(shell)
    _matchers(shell).remove(matcher)
    inspecting.remove(shell)
    if channel is not None:
        channel.close()
    shell.events.unregister("post_run_cell", evaluations.after_cell)
    shell.events.unregister("pre_run_cell", _lend_methods)
    if "greynb.notebook.accessor" in sys.modules:
        sys.modules["greynb.notebook.accessor"].unregister()
    panels.remove(shell)
    configurables: list[Any] = shell.configurables
    configurables.remove(magics.settings)
    for (kind, name), before in replaced.items():
        table = shell.magics_manager.magics[kind]
        table.pop(name, None)
        if before is not None:
            table[name] = before
    shell.magics_manager.registry.pop(type(magics).__name__, None)
    _shorten_errors(False)
    if "greynb.notebook.output" in sys.modules:
        sys.modules["greynb.notebook.output"].stop_showing(shell)
    if "greynb.connections" in sys.modules:
        sys.modules["greynb.connections"].close_all()


def _lend_methods(_info: object) -> None:
    """Give DataFrames ``.greynb`` once pandas is there, which is not imported for it."""
    if "pandas" in sys.modules:
        from greynb.notebook.accessor import register

        register()


def _matchers(shell: InteractiveShell) -> list[completing.Matcher]:
    matchers: list[completing.Matcher] = shell.Completer.custom_matchers
    return matchers


def _channel(shell: InteractiveShell) -> Channel | None:
    """The comms with JupyterLab; a terminal has none."""
    if getattr(shell, "kernel", None) is None:
        return None
    from greynb.notebook.comm.channel import Channel

    return Channel()


def _shorten_errors(short: bool) -> None:
    """Let IPython show greynb's errors as one block, by the hook it offers to exceptions, or as usual."""
    if short:
        GreynbError._render_traceback_ = _block  # type: ignore[attr-defined]
    elif hasattr(GreynbError, "_render_traceback_"):
        del GreynbError._render_traceback_


def _block(error: GreynbError) -> list[str]:
    from greynb.notebook.error_display import short_error

    return short_error(error)["text/plain"].splitlines()
