"""A text encoder for tests: each text has random features of its own."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from motiongpt.sampling.keys import row_key
from motiongpt.sampling.rng import normal_rows


class FakeTextEncoder:
    """Keeps what it was asked, batch by batch."""

    def __init__(self, width: int = 8) -> None:
        self.width = width
        self.asked: list[list[str]] = []

    def encode(self, texts: Sequence[str]) -> Tensor:
        self.asked.append(list(texts))
        return normal_rows(0, [row_key(text) for text in texts], [self.width])


def load_fake(folder: Path, device: str | torch.device = "cpu") -> FakeTextEncoder:
    """In the place of `load_text_encoder`; the folder's file says the width."""
    return FakeTextEncoder(int((Path(folder) / "width.txt").read_text()))


def save_fake(folder: Path, width: int = 8) -> Path:
    """What `load_fake` opens."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "width.txt").write_text(str(width))
    return folder
