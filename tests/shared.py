"""The folder `../shared` with reference material: read by tests where present, never needed.

Parity cases of random and synthetic inputs lie in every clone, too, some of them in part.
"""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
SMALL = ROOT / "tests" / "golden" / "small"


def shared(*parts: str) -> Path:
    """Path below ../shared; skips the test, saying what is absent, where it does not exist."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"reference material absent: ../shared/{'/'.join(parts)}")
    return path


def parity(name: str) -> Path:
    """A parity case, as every clone has it, else that of ../shared; skips as `shared` does."""
    return SMALL / name if (SMALL / name).exists() else shared("parity", *name.split("/"))
