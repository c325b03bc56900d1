"""Check this implementation against a folder of golden vectors.

    python -m tests.golden FOLDER

FOLDER holds subfolders by subject (feats, vq, lm ...), `data` with statistics, and `methods` with
a subfolder a method (t2m_gpt, mld ...). It may also be that folder of methods, hold some of its
subfolders only, or be one subject's own folder. A case is recognised by its subfolder and the
arrays it holds, whatever its file is called. The module tests.golden.<subfolder> does the checking;
a subfolder without one is named as not yet supported. Texts (.md) are passed over.
Exits with 1 if anything missed its tolerance or nothing could be compared, with 2 for no folder.
"""

import argparse
import importlib
import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.golden.report import ReadArrays, Report

KNOWN = ("feats", "vq", "lm", "metrics", "evaluator", "checkpoint")
STATISTICS, METHODS = "data", "methods"
PASSED_OVER = (".md",)
Check = Callable[[Path, Any, Report, Path], None]


def check_folder(folder: Path) -> Report:
    """Check every case below `folder`."""
    report = Report()
    present = {path.name for path in folder.iterdir() if path.is_dir()}
    if present & {*KNOWN, METHODS}:
        for name in (*KNOWN, STATISTICS):
            if name not in present:
                report.note(f"{name}/ is absent")
    for subject in subjects(folder):
        check = find_check(subject.name)
        if check is None:
            report.note(f"{subject.name}/ is not yet supported: none of its files were checked")
            continue
        for path in sorted(path for path in subject.iterdir() if path.is_file()):
            check_file(path, check, report, folder / STATISTICS)
    return report


def subjects(folder: Path) -> list[Path]:
    """The folders that hold cases: subfolders, those of `methods`, or `folder` itself."""
    if any(path.suffix in (".npz", ".json") for path in folder.iterdir()):
        return [folder.resolve()]
    found = sorted(path for path in folder.iterdir() if path.is_dir() and path.name != STATISTICS)
    if folder / METHODS in found:
        found.remove(folder / METHODS)
        found += sorted(path for path in (folder / METHODS).iterdir() if path.is_dir())
    return found


def find_check(name: str) -> Check | None:
    """The `check` function of tests.golden.<name>, None where there is no such module."""
    module = f"tests.golden.{name}"
    if not name.isidentifier() or importlib.util.find_spec(module) is None:
        return None
    return getattr(importlib.import_module(module), "check", None)


def check_file(path: Path, check: Check, report: Report, data: Path) -> None:
    """Check one file; whatever goes wrong on the way is a miss of this case, not of the run."""
    case = case_name(path)
    if path.suffix in PASSED_OVER:
        return
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                content = ReadArrays(arrays)
            check(path, content, report, data)
            for name in content.unread():
                report.unchecked(case, name, "no check reads it")
        elif path.suffix == ".json":
            check(path, json.loads(path.read_text()), report, data)
        else:
            report.unchecked(case, path.name, "neither .npz nor .json")
    except Exception as error:
        report.crashed(case, error)


def case_name(path: Path) -> str:
    """What a file's case is called in the report: subfolder/file."""
    return f"{path.parent.name}/{path.name}"


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.golden", description=__doc__.split("\n")[0]
    )
    parser.add_argument("folder", type=Path, help="laid out as feats/ vq/ lm/ ... methods/ data/")
    folder = parser.parse_args(arguments).folder
    if not folder.is_dir():
        print(
            f"no folder {folder}: give one that holds feats/, vq/, lm/ ... and data/",
            file=sys.stderr,
        )
        return 2
    report = check_folder(folder)
    for line in report.lines():
        print(line)
    return int(report.failed)


if __name__ == "__main__":
    sys.exit(main())
