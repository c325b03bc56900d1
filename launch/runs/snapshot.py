"""A copy of the code for jobs that start later: editing files while they wait changes nothing."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import launch
from launch.runs.sources import git_changes, git_state
from motiongpt.errors import UserError
from motiongpt.files import write_json, write_text

PACKAGES = ("motiongpt", "evaluation", "launch", "conf", "experiments")
NOT_CODE = ("__pycache__", "results", "*.pyc", "*.webp", "*.png")
SOURCE = "source.json"


def take_snapshot(root: Path) -> Path:
    """Folder below `root` that holds the code as it is now, to be put on PYTHONPATH.

    The same code gives the same folder. Beside it lie `source.json` (git commit, whether files
    differed) and `changes.diff` (how they differed).

    Raises:
        UserError: PYTHONPATH can't hold the folder's name.
        OSError: the folder can't be written or the disk is full; nothing half-made is left.
    """
    if os.pathsep in str(root):
        raise UserError(
            f"{root}: PYTHONPATH, which jobs need, can't hold a folder with {os.pathsep} in its "
            "name; choose another paths.root"
        )
    home = Path(launch.__file__).resolve().parents[1]
    files = _code_files(home)
    target = Path(root) / "code" / _digest(home, files)
    if (target / SOURCE).exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".building-", dir=target.parent))
    try:
        for file in files:
            copy = building / file
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(home / file, copy)
        write_text(building / "changes.diff", git_changes())
        write_json(building / SOURCE, git_state())
        building.chmod(0o755)
        os.rename(building, target)
    except OSError:
        shutil.rmtree(building, ignore_errors=True)
        if not (target / SOURCE).exists():  # else another process was faster
            raise
    return target


def _code_files(home: Path) -> list[Path]:
    found = []
    for package in PACKAGES:
        for folder, folders, names in os.walk(home / package):
            ignored = shutil.ignore_patterns(*NOT_CODE)(folder, [*folders, *names])
            folders[:] = sorted(name for name in folders if name not in ignored)
            relative = Path(folder).relative_to(home)
            found += [relative / name for name in sorted(names) if name not in ignored]
    return found


def _digest(home: Path, files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        content = (home / file).read_bytes()
        digest.update(f"{file.as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:12]
