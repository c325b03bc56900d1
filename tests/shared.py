"""The folder `../shared` with reference material: read by tests where present, never needed."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


def shared(*parts: str) -> Path:
    """Path below ../shared; skips the test, saying what is absent, where it does not exist."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"reference material absent: ../shared/{'/'.join(parts)}")
    return path
