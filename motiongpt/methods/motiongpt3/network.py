"""MotionGPT3's language model and diffusion head as one network, and what it is trained to do.

Shapes: B batch, M draws, N latent vectors of D numbers, K hidden states of H numbers, L tokens.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongpt.methods.motiongpt3.diffusion import Diffusion
from motiongpt.methods.motiongpt3.examples import IGNORED, Pair
from motiongpt.methods.motiongpt3.head import DiffusionHead
from motiongpt.methods.motiongpt3.language import TwoBranchLanguageModel


class Losses(NamedTuple):
    """Of a batch: the head's mean square (scalar), and the mean cross entropy of a caption's ids
    (scalar, nats)."""

    diffusion: Tensor
    text: Tensor


class MotionLanguageModel(nn.Module):
    """Text to the latent of a motion by way of hidden states, and a latent to text.

    Args:
        language: arguments of `TwoBranchLanguageModel`.
        head: arguments of `DiffusionHead`; the widths are the language model's.
        scale: of the latents: what `DiffusionHead` sees is so many times the codec's.
    """

    null_hidden: Tensor

    def __init__(self, language: Mapping[str, Any], head: Mapping[str, Any], scale: float) -> None:
        super().__init__()
        self.language = TwoBranchLanguageModel(**language)
        self.head = DiffusionHead(**head)
        self.scale = scale
        shape = self.language.holders.shape
        self.null_hidden = nn.Parameter(torch.zeros(shape))

    def losses(self, batch: Pair, chain: Diffusion, text: bool = True) -> Losses:
        """Both losses of one batch, each clip's noise told by its caption and its caption by it.

        Args:
            text: False leaves the captions out, whose loss then is 0.
        """
        hidden = self.language.motion_of_text(batch.ids, batch.lengths)
        draws = batch.noise.shape[1]
        told = hidden.repeat_interleave(draws, 0)
        dropped = batch.dropped.flatten()[:, None, None]
        told = torch.where(dropped, self.null_hidden.to(told.dtype), told)
        noise, steps = batch.noise.flatten(0, 1), batch.steps.flatten()
        noisy = chain.add_noise(batch.latents.repeat_interleave(draws, 0), noise, steps)
        diffusion = F.mse_loss(self.head(noisy, steps, told).float(), noise)
        words = self._words(batch) if text else diffusion.new_zeros(())
        return Losses(diffusion, words)

    def _words(self, batch: Pair) -> Tensor:
        """Mean cross entropy of the captions' ids, each told by its clip."""
        logits = self.language.logits_of_motion(batch.latents, before(batch.ids))
        positions = torch.arange(batch.ids.shape[1], device=batch.ids.device)
        labels = batch.ids.masked_fill(positions >= batch.lengths[:, None], IGNORED)
        return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments, fit for JSON."""
        return {
            "language": self.language.arguments(),
            "head": self.head.arguments(),
            "scale": self.scale,
        }


def before(ids: Tensor) -> Tensor:
    """What is read to predict ids (B, L): a 0, which stands for the beginning, then all but the
    last."""
    return F.pad(ids[:, :-1], (1, 0))
