"""The rules of the code base that no single test of a behaviour would notice being broken."""

from __future__ import annotations

import ast
import importlib
import json
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import greynb

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "greynb"
MODULES = sorted(PACKAGE.rglob("*.py"))

# What each part may import; a part that is not named here may not exist.
LAYERS: dict[str, set[str]] = {
    "errors": set(),
    "routing": {"errors"},
    "troubleshooting": {"errors"},
    "databases": {"errors", "routing"},
    "mirror": {"errors", "databases"},
    "postgres": {"errors", "routing", "databases"},
    "publish": {"errors", "databases", "mirror", "postgres"},
    "lake": {"errors", "routing", "databases", "mirror", "postgres", "publish"},
    "spark": {"errors", "routing", "databases", "lake"},
    "published": {"errors", "routing", "postgres", "publish", "lake"},
    "locating": {"errors", "routing"},
    "opening": {"errors", "routing", "databases", "postgres", "lake", "spark"},
    "connections": {"errors", "routing", "databases", "mirror", "postgres", "lake", "locating", "opening"},
    "loading": {"errors", "routing", "databases", "postgres", "connections", "locating"},
    "db_utils": {"errors", "routing", "databases", "connections", "locating"},
    "columnar": {"errors", "routing", "databases", "mirror", "connections", "locating"},
    "rolestatus": {"errors", "routing", "lake", "postgres", "databases", "publish"},
    "overview": {"errors", "routing", "lake", "databases", "publish", "columnar", "rolestatus"},
    "prometheus": {"overview", "rolestatus"},
    "service": {"errors", "routing", "publish"},
    "api": {
        "errors",
        "routing",
        "databases",
        "publish",
        "published",
        "connections",
        "locating",
        "columnar",
        "loading",
    },
    "guarding": {"errors", "routing", "databases", "publish"},
    "migration": {"errors", "routing", "databases", "postgres", "publish", "published"},
    "archive": {"errors", "routing", "databases", "publish"},
    "querylog": {"errors", "routing", "databases", "connections"},
    "doctor": {
        *("errors", "routing", "databases", "mirror", "postgres", "publish", "connections", "columnar"),
        *("querylog", "lake", "spark"),
    },
    "sqlformat": {"databases"},
    "completion": {"databases"},
    "profiling": {"errors", "databases"},
    "notebook": {
        *(
            "errors",
            "routing",
            "databases",
            "publish",
            "connections",
            "columnar",
            "api",
            "overview",
            "locating",
        ),
        *(
            "doctor",
            "rolestatus",
            "report",
            "querylog",
            "sqlformat",
            "completion",
            "profiling",
            "troubleshooting",
        ),
        "loading",
    },
    "evaluation": {"opening", "locating", "errors", "routing", "databases", "publish", "connections", "api"},
    "report": {
        "errors",
        "routing",
        "databases",
        "postgres",
        "publish",
        "lake",
        "connections",
        "locating",
        "evaluation",
        "api",
    },
    "demo": {"errors", "routing", "databases", "publish", "report", "api"},
    "audit": {"errors", "routing", "databases"},
    "cli": {
        *("errors", "routing", "databases", "publish", "report", "evaluation", "demo", "api"),
        *("columnar", "overview", "prometheus", "service", "doctor", "audit", "querylog", "archive"),
        *("guarding", "migration", "troubleshooting"),
    },
    "__main__": {"cli"},
}
TERMINAL = PACKAGE / "cli" / "terminal.py"  # the terminal's own variables: NO_COLOR, TERM and the like
PRINTS = {"notebook", "report", "cli"}
FORBIDDEN_TEXT = re.compile(
    "|".join(["/wo" + "rk/", "/ro" + "ot/", "pypi" + r"\.org", "python" + "hosted", "npm" + "js"])
)


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at its top or inside a function, but not for typing alone."""
    for node in running_code(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def running_code(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield child
            yield from running_code(child)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    part = part_of(path)
    if part == "__init__":
        return  # the facade: public names are looked up when they are first used
    assert part in LAYERS, f"say in LAYERS what greynb.{part} may import"
    reached = {name.split(".")[1] for name in imports(path) if name.startswith("greynb.")}
    reached &= set(LAYERS)
    assert reached <= LAYERS[part] | {part}


def test_no_module_imports_itself_through_others() -> None:
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in MODULES
    }
    top = {
        name: {each for each in top_level_imports(path) if each in names and each != name}
        for name, path in names.items()
    }
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join((*above, name))
        if name not in done:
            for each in top[name]:
                visit(each, (*above, name))
            done.add(name)

    for name in names:
        visit(name, ())


def top_level_imports(path: Path) -> Iterator[str]:
    """What is imported when the module is; of a package only the submodule that is asked for."""
    for node in tree_of(path).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                home = ROOT.joinpath(*submodule.split("."))
                yield submodule if home.is_dir() or home.with_suffix(".py").exists() else node.module or ""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_routing_reads_the_environment(path: Path) -> None:
    if part_of(path) == "routing" or path == TERMINAL:
        return
    names = {"os.environ", "os.getenv", "os.putenv"}  # in code: audit has them in texts
    attributes = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute)]
    assert not names & {ast.unparse(node) for node in attributes} | names & set(imports(path))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_notebook_part_imports_ipython(path: Path) -> None:
    if part_of(path) != "notebook":
        assert not [name for name in imports(path) if name.split(".")[0] in ("IPython", "ipywidgets")]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_below_the_edge_prints(path: Path) -> None:
    if part_of(path) in PRINTS:
        return
    calls = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
    prints = [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
    assert not prints


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_and_functions_stay_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
    too_long = {name: length for name, length in function_lengths(path) if length > 60}
    assert not too_long


def function_lengths(path: Path) -> Iterator[tuple[str, int]]:
    """Each function's lines without its docstring."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            yield node.name, (node.end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_most_functions_are_a_few_lines() -> None:
    assert statistics.median(length for path in MODULES for _, length in function_lengths(path)) <= 10


@pytest.mark.parametrize("name", greynb.__all__)
def test_every_public_name_can_be_imported_and_is_documented(name: str) -> None:
    value = getattr(greynb, name)
    if not name.startswith("__"):
        assert (value.__doc__ or "").strip()


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        greynb.nonsense  # noqa: B018  # reading it is the test


LOADS = {
    "the package": "import greynb",
    "the extension": (
        "from IPython.core.interactiveshell import InteractiveShell as S; s = S.instance(); "
        "s.run_line_magic('load_ext', 'greynb'); assert 'analytics' in s.magics_manager.magics['cell']"
    ),
}


@pytest.mark.parametrize("code", LOADS.values(), ids=LOADS)
def test_loading_imports_no_heavy_library(code: str, tmp_path: Path) -> None:
    heavy = ("pandas", "numpy", "duckdb", "pyarrow", "polars", "matplotlib", "nbclient", "nbconvert")
    show = f"import sys; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; {show}"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def tracked_files() -> list[Path]:
    """The files under version control, else every file that an archive of the project would hold."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in ROOT.rglob("*") if path.is_file() and ".venv" not in path.as_posix()]


def test_no_file_names_a_machines_folders_or_a_package_registry() -> None:
    found = []
    for path in tracked_files():
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in FORBIDDEN_TEXT.finditer(text)]
    assert not found


def help_of(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "greynb", *words, "--help"], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_every_command_of_the_readme_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    calls = set(re.findall(r"^(?:\$ )?greynb (\w+)(.*)$", readme, re.M))
    assert calls, "the README shows no command"
    for command, rest in calls:
        text = help_of(command)
        for option in re.findall(r"(?<!\S)--[a-z-]+", rest.split("#")[0]):
            assert option in text, f"greynb {command} has no {option}"


def test_the_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in re.findall(r"^    (\w+) ", help_of(), re.M):
        assert f"greynb {command}" in readme


def test_the_versions_of_the_package_the_changelog_and_the_labextension_agree() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{greynb.__version__}]" in changelog
    labextension = json.loads((ROOT / "lab" / "greynb" / "package.json").read_text(encoding="utf-8"))
    assert labextension["version"] == greynb.__version__


def test_every_module_says_what_it_is_for() -> None:
    for path in MODULES:
        module = tree_of(path)
        assert ast.get_docstring(module) or not module.body, f"{path} has no docstring"


def test_every_hint_reads_on_from_do() -> None:
    hints = [
        (path, node.value)
        for path in MODULES
        for keyword in ast.walk(tree_of(path))
        if isinstance(keyword, ast.keyword) and keyword.arg == "hint"
        for node in ast.walk(keyword.value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert len(hints) > 200
    for path, hint in hints:
        assert not re.match(r"[A-Z][a-z]+ ", hint), f"{path}: {hint!r} begins with a capital"
        assert not hint.endswith("."), f"{path}: {hint!r} ends with a full stop"


def test_the_engine_and_its_extension_are_pinned_together() -> None:
    pins = dict(
        line.replace("_", "-").split("==")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    )
    assert (
        pins["duckdb"]
        == pins["duckdb-extension-sqlite-scanner"]
        == importlib.import_module("duckdb").__version__
    )
