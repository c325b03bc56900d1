"""Processes of a benchmark import this clone, wherever the benchmark was started."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def variables() -> dict[str, str]:
    """Of this process, with the clone ahead on PYTHONPATH."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path}
