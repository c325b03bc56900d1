"""Which source files made a run, and which of them differ now.

A stage uses the modules of the classes that its settings name (`_target_`) or that it opened by
name (`motiongpt.registry`), and all that these import, wherever in a file the import stands. The
data files in a folder of a module's name, as its templates, count too. Of `launch` nothing does: it
only starts what makes the result.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.util import resolve_name
from pathlib import Path
from typing import Any

import motiongpt
from launch.runs.ledger import Run
from launch.runs.records import readable
from motiongpt.files import write_json

CODE = "code.json"
PACKAGES = ("motiongpt", "evaluation")
HOME = Path(motiongpt.__file__).resolve().parents[1]
DATA = (".json", ".txt")


@cache
def hashes() -> Mapping[str, str]:
    """File -> SHA-256, of all files of the packages as they are when this is first called.

    Called before a stage starts: code edited while it runs is not what made it.
    """
    files = sorted(file for name in PACKAGES for file in (HOME / name).rglob("*"))
    return {
        file.relative_to(HOME).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.suffix in (".py", *DATA)
    }


def write_code(folder: Path, settings: Any, opened: Iterable[str]) -> None:
    """Record in the folder of a run what made it.

    Args:
        settings: of the stage, plain containers.
        opened: modules of the classes that it opened by name.
    """
    roots = {*map(_module_of, _targets(settings)), *opened}
    known = hashes()
    used = sorted({name for one in _closure(roots) for name in _files(one) if name in known})
    write_json(Path(folder) / CODE, {name: known[name] for name in used})


def changed_files(run: Run) -> list[str]:
    """Source files of a finished run that differ now; empty for runs that recorded none."""
    recorded, _ = readable(run.folder / CODE, {})
    now = hashes()
    return [name for name, digest in recorded.items() if now.get(name) != digest]


def _targets(settings: Any) -> Iterator[str]:
    """Dotted names of all classes and functions that settings name, at any depth."""
    if isinstance(settings, Mapping):
        if isinstance(settings.get("_target_"), str):
            yield settings["_target_"]
        settings = list(settings.values())
    if isinstance(settings, list | tuple):
        for value in settings:
            yield from _targets(value)


def _module_of(target: str) -> str:
    """The module in which a dotted name stands."""
    while target and _source(target) is None:
        target = target.rpartition(".")[0]
    return target


def _closure(modules: Iterable[str]) -> set[str]:
    """These modules of the packages, and all that they import."""
    found: set[str] = set()
    waiting = [module for module in modules if _source(module)]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += _imports(module)
    return found


@cache
def _imports(module: str) -> frozenset[str]:
    """Modules of the packages that a module imports, and the packages that it lies in."""
    source = _source(module)
    assert source is not None
    package = module if source.name == "__init__.py" else module.rpartition(".")[0]
    names = {package, module.rpartition(".")[0]}
    for node in _walk(ast.parse(source.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            names |= {base, *(f"{base}.{one.name}" for one in node.names)}
    return frozenset(name for name in names if _source(name))


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """A tree without what is for type checkers only, which no run executes."""
    if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _walk(child)


@cache
def _source(module: str) -> Path | None:
    """File of a module of the packages; None for all others."""
    if module.partition(".")[0] not in PACKAGES:
        return None
    path = HOME.joinpath(*module.split("."))
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in files if file.is_file()), None)


def _files(module: str) -> Iterator[str]:
    """File of a module, and the data files in the folder of its name."""
    source = _source(module)
    assert source is not None
    beside = source.with_suffix("")
    data = [file for file in beside.iterdir() if file.suffix in DATA] if beside.is_dir() else []
    for file in (source, *data):
        yield file.relative_to(HOME).as_posix()
