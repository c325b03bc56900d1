"""What the golden checks of MDM share: one case, its weights, and its layout.

Motions lie there as (batch, features, 1, frames), texts as (words, batch, numbers).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motiongpt.files import read_json
from motiongpt.methods.mdm.network import MotionDenoiser
from motiongpt.methods.mdm.original_names import load_original, original_sizes
from motiongpt.text_encoders.texts import Texts

ATOL, LOOPS = 1e-5, 5e-5
RELEASED_HEADS = 4


@dataclass(frozen=True)
class Case:
    """One file of the subfolder, and what lies beside it."""

    name: str
    folder: Path
    arrays: Mapping[str, np.ndarray]
    report: Any

    @cached_property
    def state(self) -> dict[str, Tensor]:
        """The encoder's weights by their released names."""
        return self.beside("weights.npz")

    @cached_property
    def heads(self) -> int:
        """Of the small case that lies here: the one of these sizes; as released without facts."""
        shapes = {"latent_dim": self.width, "batch": len(self.beside("forward.npz")["x"])}
        cases = read_json(self.folder / "facts.json", {}).get("small_cases", {})
        for described in cases.values():
            if all(described.get(name) == size for name, size in shapes.items()):
                return int(described["heads"])
        return RELEASED_HEADS

    @property
    def width(self) -> int:
        return len(self.state["embed_text.bias"])

    def beside(self, name: str) -> dict[str, Tensor]:
        with np.load(self.folder / name, allow_pickle=False) as stored:
            return {name: torch.from_numpy(stored[name]) for name in stored}

    def network(self, hide_padding: bool, **settings: Any) -> MotionDenoiser:
        """The encoder in evaluation mode."""
        return network_of(self.state, self.heads, hide_padding, **settings)

    def tensor(self, name: str) -> Tensor:
        return torch.from_numpy(self.arrays[name])

    def motion(self, name: str) -> Tensor:
        """(…, B, T, F)."""
        return self.tensor(name).squeeze(-2).transpose(-1, -2)

    def texts(self, name: str = "text_embed") -> Texts:
        """A batch of captions."""
        features = self.tensor(name).transpose(0, 1)
        return Texts(features, torch.zeros(features.shape[:2], dtype=torch.bool))

    def compare(self, values: Mapping[str, Any], atol: float = ATOL) -> None:
        for name, value in values.items():
            self.report.compare(self.name, name, value, self.arrays[name], atol=atol)

    def motions(self, values: Mapping[str, Tensor], atol: float = ATOL) -> None:
        """Compare motions (…, B, T, F)."""
        self.compare({name: released(one) for name, one in values.items()}, atol)

    def check_mask(self, lengths: Tensor, frames: int, name: str = "mask") -> None:
        valid = torch.arange(frames) < lengths[:, None]
        self.report.exact(self.name, name, valid[:, None, None].numpy(), self.arrays[name])


def network_of(
    state: Mapping[str, Tensor], heads: int, hide_padding: bool, **settings: Any
) -> MotionDenoiser:
    """A denoiser with these released weights, in evaluation mode."""
    sizes = original_sizes(state)
    made = MotionDenoiser(**sizes, heads=heads, hide_padding=hide_padding, **settings).eval()
    load_original(made, state)
    return made


def released(found: Tensor) -> Tensor:
    """(…, B, F, 1, T) of (…, B, T, F)."""
    return found.transpose(-1, -2).unsqueeze(-2)


def silent(texts: Texts) -> Texts:
    """The same without words."""
    return texts.without(torch.ones(len(texts.features), dtype=torch.bool))
