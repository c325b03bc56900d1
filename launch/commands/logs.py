"""Show what a run has said: its own log, its error, and its job's output."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from launch.composition.roots import split_root
from launch.jobs.records import job_of
from launch.runs.ledger import ERROR, LOG, Run, find_run
from launch.sweeps.overview import overview
from motiongpt.errors import UserError
from motiongpt.printable import printable

EXAMPLES = """examples:
  motiongpt logs 1a2b3c4d
  motiongpt logs tokenizer/1a2b --follow
  motiongpt logs 1a2b3c4d --job       # what the scheduler's processes printed
"""


def main(arguments: Sequence[str]) -> int:
    """Print the files."""
    parser = argparse.ArgumentParser(
        prog="motiongpt logs",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="+", help="a signature, or its first letters; paths.root=…")
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the run ends")
    parser.add_argument("--job", action="store_true", help="also the output of its last job")
    options = parser.parse_intermixed_args(arguments)
    root, signatures = split_root(options.words)
    for words in signatures:
        run = _run_of(root, words)
        _show(run, options.job)
        if options.follow:
            _follow(run)
    return 0


def _run_of(root: Path, words: str) -> Run:
    """A run that has begun, or a stage that a job was submitted for."""
    try:
        return find_run(root, words)
    except UserError:
        waiting = [line.run for line in overview(root) if line.run.signature.startswith(words)]
        if len(waiting) != 1:
            raise
        return waiting[0]


def _show(run: Run, with_job: bool) -> None:
    record = job_of(run)
    files = [run.where / LOG, run.where / ERROR]
    if record is not None and (with_job or not files[0].exists()):
        files += record.outputs()
    found = [file for file in files if file.exists()]
    if not found:
        raise UserError(f"{run.stage}/{run.signature} is {run.state} and has said nothing yet")
    for file in found:
        print(f"==> {file} <==\n{_text(file).rstrip()}", flush=True)


def _follow(run: Run) -> None:
    """Print what is added to the log, whichever attempt writes it."""
    shown = len(_log(run))
    while run.state in ("running", "interrupted"):
        text = _log(run)
        if len(text) > shown:
            print(text[shown:], end="", flush=True)
        shown = len(text)
        time.sleep(1.0)
    print(_log(run)[shown:] + f"{run.stage} {run.signature} is {run.state}", flush=True)


def _log(run: Run) -> str:
    file = run.where / LOG
    return _text(file) if file.exists() else ""


def _text(file: Path) -> str:
    """What a program wrote, without what a terminal would obey but line ends."""
    return printable(file.read_text(errors="replace"), keep="\n\r\t")
