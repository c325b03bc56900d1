"""Tests that need a GPU: `make test-gpu`."""

import pytest
import torch

from motiongpt.training.stage import Hardware


@pytest.fixture
def gpu() -> Hardware:
    """One GPU; skips where torch can use none."""
    if not torch.cuda.is_available():
        pytest.skip("torch can use no GPU here (torch.cuda.is_available() is False)")
    return Hardware(accelerator="gpu")


@pytest.fixture
def device(gpu: Hardware) -> str:
    """The same, as torch calls it."""
    return "cuda"
