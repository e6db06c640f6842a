"""Compact panels for what ``%greynb status`` and ``%greynb doctor`` give; plain text where there is no HTML.

Like the tables of cells they need no script or style sheet from elsewhere, and take their colours from the
surrounding theme.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from greynb.doctor import Examination, Finding
    from greynb.overview import Status
    from greynb.rolestatus import RoleStatus

_LEFT = ' align="left" style="text-align:left;vertical-align:top"'


def add(shell: InteractiveShell) -> None:
    """Let a shell show these objects as panels, however they came about."""
    for (module, name), shown in _PANELS.items():
        _formatter(shell).for_type_by_name(module, name, shown)


def remove(shell: InteractiveShell) -> None:
    """Take that back."""
    for module, name in _PANELS:
        _formatter(shell).pop(f"{module}.{name}", None)


def _formatter(shell: InteractiveShell) -> Any:
    assert shell.display_formatter is not None
    return shell.display_formatter.formatters["text/html"]


def status_panel(status: Status) -> str:
    """Both roles side by side, each with its file, and below how far the one is behind the other."""
    roles = (status.staging, status.analytics)
    head = "".join(f'<th scope="col"{_LEFT}>{escape(each.role)}</th>' for each in roles)
    rows = [
        ("file", [_file(each) for each in roles]),
        ("chosen by", [escape(f"{each.chosen_by} · {each.mode} mode") for each in roles]),
        ("state", [escape(each.state) if each.exists else f"<b>{escape(each.absent)}</b>" for each in roles]),
    ]
    if any(each.locks for each in roles):
        rows.append(("at work", ["<br>".join(escape(str(lock)) for lock in each.locks) for each in roles]))
    body = "".join(
        f'<tr><th scope="row"{_LEFT}>{name}</th>{"".join(f"<td{_LEFT}>{cell}</td>" for cell in cells)}</tr>'
        for name, cells in rows
    )
    below = [str(each) for each in (status.publication, status.mirror, status.behind) if each]
    lag = [str(status.lag)] if status.analytics.exists else []
    said = "".join(f"<div><small>{escape(line)}</small></div>" for line in [*lag, *below])
    return (
        f'<div style="overflow-x:auto"><table><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody>'
        f"</table>{said}</div>"
    )


def _file(role: RoleStatus) -> str:
    path = Path(role.path)
    return f"{escape(path.name)}<br><small>{escape(str(path.parent))}</small>"


def doctor_panel(examination: Examination) -> str:
    """One line per finding, which opens to its evidence; errors are open from the start."""
    findings = "".join(map(_finding, examination.findings))
    return f"<div>{findings}<div><small>{escape(examination.summary)}</small></div></div>"


def _finding(finding: Finding) -> str:
    place = f" · {escape(finding.role)}" if finding.role else ""
    return (
        f"<details{' open' if finding.level == 'error' else ''}>"
        f"<summary><b>{finding.level}</b>: {escape(finding.title)}{place}"
        f" <small>[{escape(finding.id)}]</small></summary>"
        f'<div style="margin-left:1.5em">{"".join(_parts(finding))}</div></details>'
    )


def _parts(finding: Finding) -> Iterator[str]:
    yield from (f"<div><code>{escape(line)}</code></div>" for line in finding.evidence)
    yield f"<div><i>why</i>: {escape(finding.why)}</div>"
    yield f"<div><i>do</i>:</div><pre>{escape(finding.mend)}</pre>"
    if finding.fix:
        yield "<div><small><code>%greynb doctor --fix</code> does it</small></div>"


_PANELS: dict[tuple[str, str], Callable[[Any], str]] = {
    ("greynb.overview", "Status"): status_panel,
    ("greynb.doctor.examination", "Examination"): doctor_panel,
}
