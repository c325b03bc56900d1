"""Rules of the tree that no single file can keep alone."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(
    file
    for package in ("motiongpt", "evaluation", "launch", "hydra_plugins")
    for file in (ROOT / package).rglob("*.py")
)
MAY_NOT_IMPORT = {
    "motiongpt": {"evaluation", "launch"},
    "evaluation": {"launch"},
    "launch": set(),
    "hydra_plugins": {"motiongpt", "evaluation"},
}


def imported(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def test_imports_go_one_way():
    wrong = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in MODULES
        for name in set(imported(file)) & MAY_NOT_IMPORT[file.relative_to(ROOT).parts[0]]
    ]
    assert not wrong


def test_only_public_modules_of_libraries_are_imported():
    files = [*MODULES, *(ROOT / "tests").rglob("*.py")]
    private = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in files
        for name in _imported_names(ast.parse(file.read_text()), name_of(file, ROOT))
        if "._internal" in f".{name}"
    ]
    assert not private


# Packages that import each other in a ring today. A ring that is gone, or smaller, is struck off
# here; a new one, or a larger one, is mended where it arose.
PACKAGE_RINGS: list[set[str]] = []
MODULE_RINGS: list[set[str]] = []


@pytest.mark.parametrize(
    ("packages", "others"),
    [
        (("launch.commands", "launch.sweeps"), ("launch.slurm",)),
        (("launch.launchers", "launch.slurm"), ("launch.sweeps", "launch.commands")),
        (("launch.jobs", "launch.slurm"), ("launch.launchers",)),
    ],
)
def test_launchers_are_asked_through_their_protocol(packages, others):
    imports = imports_of_modules({name_of(file, ROOT): file for file in MODULES})
    found = between_packages(imports)
    assert not [name for name in packages if found[name] & set(others)]


def test_no_new_ring_of_packages():
    imports = imports_of_modules({name_of(file, ROOT): file for file in MODULES})
    check_rings(rings(between_packages(imports)), PACKAGE_RINGS)


def test_no_new_ring_of_modules():
    imports = imports_of_modules({name_of(file, ROOT): file for file in MODULES})
    check_rings(rings(imports), MODULE_RINGS)


def check_rings(found, known):
    new = [sorted(ring) for ring in found if not any(ring <= old for old in known)]
    assert not new, f"these import each other in a ring: {new}"
    gone = [sorted(old) for old in known if not any(ring <= old for ring in found)]
    assert not gone, f"no ring any more, take it off the list: {gone}"


def test_rings_are_found_among_lazy_imports_too(tmp_path):
    sources = {
        "motiongpt/data/a.py": "from motiongpt.methods.one.b import x",
        "motiongpt/methods/one/b.py": "def f():\n    import motiongpt.files",
        "motiongpt/files.py": "def f():\n    from motiongpt.data import a",
        "motiongpt/methods/two/c.py": "from motiongpt.methods.one import b\nfrom ..two import d",
        "motiongpt/methods/two/d.py": "import numpy",
    }
    for name, text in sources.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    imports = imports_of_modules(
        {name_of(tmp_path / one, tmp_path): tmp_path / one for one in sources}
    )
    assert imports["motiongpt.methods.two.c"] == {
        "motiongpt.methods.one.b",
        "motiongpt.methods.two.d",
    }
    packages = {"motiongpt.data", "motiongpt.methods.one", "motiongpt.files"}
    assert rings(between_packages(imports)) == [packages]
    with pytest.raises(AssertionError, match="in a ring"):
        check_rings([packages], [{"motiongpt.data", "motiongpt.files"}])
    with pytest.raises(AssertionError, match="off the list"):
        check_rings([], [packages])


def name_of(file, root):
    """`motiongpt.data.store`; a package's own name for its `__init__.py`."""
    return ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def package_of(module):
    """First two levels; each method is a package of its own."""
    levels = module.split(".")
    return ".".join(levels[: 3 if levels[:2] == ["motiongpt", "methods"] else 2])


def imports_of_modules(files):
    """Module -> those of `files` that it imports, at its top or inside its functions."""
    found = {}
    for name, file in files.items():
        named = set(_imported_names(ast.parse(file.read_text()), name))
        found[name] = {module for one in named if (module := _module_in(one, files))} - {name}
    return found


def _imported_names(tree, module):
    """Full dotted names after `import` and `from … import`; a name may be a module's attribute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: -node.level] if node.level else []
            start = [*above, *([node.module] if node.module else [])]
            yield from (".".join([*start, alias.name]) for alias in node.names)


def _module_in(name, files):
    """The longest beginning of a dotted name that is a module."""
    levels = name.split(".")
    beginnings = (".".join(levels[:count]) for count in range(len(levels), 0, -1))
    return next((one for one in beginnings if one in files), None)


def between_packages(imports):
    found = {}
    for module, others in imports.items():
        package = package_of(module)
        found.setdefault(package, set()).update({package_of(other) for other in others} - {package})
    return found


def rings(imports):
    """Sets of nodes each of which reaches all others of its set."""
    reached = {node: _reached(node, imports) for node in imports}
    ringed = sorted(node for node in imports if node in reached[node])
    found = []
    for node in ringed:
        ring = {other for other in reached[node] if node in reached[other]}
        if ring not in found:
            found.append(ring)
    return found


def _reached(node, imports):
    seen, waiting = set(), [node]
    while waiting:
        fresh = imports.get(waiting.pop(), set()) - seen
        seen |= fresh
        waiting += fresh
    return seen


def test_files_stay_short():
    lengths = {file.relative_to(ROOT): len(file.read_text().splitlines()) for file in MODULES}
    assert not {file: lines for file, lines in lengths.items() if lines > 400}


def test_experiments_and_conf_hold_no_python():
    assert not [*(ROOT / "conf").rglob("*.py"), *(ROOT / "experiments").rglob("*.py")]


@pytest.mark.parametrize("module", ["launch.cli", "tests.golden"])
def test_commands_show_help(module):
    import sys

    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0 and "usage" in done.stdout
