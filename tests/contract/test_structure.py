"""Rules of the tree that no single file can keep alone."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(
    file
    for package in ("motiongpt", "evaluation", "launch")
    for file in (ROOT / package).rglob("*.py")
)
MAY_NOT_IMPORT = {"motiongpt": {"evaluation", "launch"}, "evaluation": {"launch"}, "launch": set()}


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
