"""Running Blender without a window, where it is installed."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from motiongpt.errors import UserError


def find_blender(program: str, what: str, otherwise: str) -> str:
    """The path of the program.

    Args:
        what: needs it, for the message.
        otherwise: what to do without it.

    Raises:
        UserError: it is not there.
    """
    found = shutil.which(program)
    if found is None:
        raise UserError(
            f"{what} by Blender, and there is no program {program}; install it "
            f"(apt-get install blender), name it as blender=PATH, or {otherwise}"
        )
    return found


def run_blender(program: str, script: Path, arguments: Sequence[str], seconds: float) -> None:
    """Run a Python script within Blender; it finds its arguments after "--".

    Raises:
        UserError: it failed, or took longer.
    """
    command = [program, "--background", "--factory-startup", "--python-exit-code", "1"]
    command += ["--python", str(script), "--", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise UserError(f"{program}: not done after {seconds:g} s") from None
    if done.returncode:
        raise UserError(f"{program}: failed: {_cause(done.stderr or done.stdout)}")


def _cause(said: str) -> str:
    """The last line that says more than that the script failed."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith("Error: script failed")]
    return (telling or lines or ["it said nothing"])[-1]
