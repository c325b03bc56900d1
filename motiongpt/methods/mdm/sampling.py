"""From noise to a motion: guidance (arXiv:2207.12598), ancestral steps, frames that are given.

Shapes: B batch, T frames, F features.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from motiongpt.methods.mdm.network import MotionDenoiser
from motiongpt.methods.mdm.schedule import Chain
from motiongpt.text_encoders.texts import Texts


class Given(NamedTuple):
    """What of a motion is known.

    Attributes:
        motion: (B, T, F) normalised.
        kept: (B, T, F) or (B, T, 1) bool, where it is known.
    """

    motion: Tensor
    kept: Tensor


class Sampled(NamedTuple):
    """After one step back: the motions (B, T, F), and what the network took for them."""

    motion: Tensor
    clean: Tensor


def guided(
    network: MotionDenoiser,
    noisy: Tensor,
    step: int,
    texts: Texts,
    guidance: Tensor,
    lengths: Tensor | None,
) -> Tensor:
    """The motion (B, T, F) in `noisy`, from what is made of it without words through that with.

    Args:
        step: number of the whole diffusion.
        guidance: (B,) how far to go; 1 listens to the words alone, 0 to none.
    """
    rows = len(noisy)
    steps = torch.full((rows,), step, device=noisy.device)
    nothing = texts.without(torch.ones(rows, dtype=torch.bool, device=noisy.device))
    for alone, texts_alone in ((0, nothing), (1, texts)):
        if bool((guidance == alone).all()):
            return network(noisy, steps, texts_alone, lengths)
    both = Texts(*(torch.cat(pair) for pair in zip(nothing, texts, strict=True)))
    twice = None if lengths is None else lengths.repeat(2)
    without, told = network(noisy.repeat(2, 1, 1), steps.repeat(2), both, twice).chunk(2)
    return without + guidance[:, None, None] * (told - without)


def sampled(
    network: MotionDenoiser,
    chain: Chain,
    noise: Callable[[], Tensor],
    texts: Texts,
    guidance: Tensor,
    lengths: Tensor | None = None,
    given: Given | None = None,
) -> Iterator[Sampled]:
    """Motions after each step of the chain, from its last to its first; the last are the sample.

    What is given replaces the network's prediction at every step, so that at the end it stands
    there as it is (inpainting, section 3 of the paper).

    Args:
        noise: gives (B, T, F) standard normal, to begin with and for each step but the last.
    """
    motion = noise()
    for index in reversed(range(len(chain))):
        step = int(chain.numbers[index])
        clean = guided(network, motion, step, texts, guidance, lengths)
        if given is not None:
            clean = torch.where(given.kept, given.motion, clean)
        motion = chain.earlier(clean, motion, index, noise)
        yield Sampled(motion, clean)


class NoiseOfRows:
    """Standard normal numbers, each row's from a stream of its own, for as many frames as it has.

    Args:
        streams: B of them.
        lengths: frames of each.
        like: device and type of what is given.
        n_features: F.
    """

    def __init__(
        self,
        streams: Sequence[np.random.Generator],
        lengths: Sequence[int],
        n_features: int,
        like: Tensor,
    ) -> None:
        self.streams, self.lengths, self.n_features = streams, lengths, n_features
        self.like = like

    def __call__(self) -> Tensor:
        """(B, T, F), T the longest; zeros behind a row's end."""
        found = np.zeros((len(self.streams), max(self.lengths), self.n_features), np.float32)
        for row, stream, length in zip(found, self.streams, self.lengths, strict=True):
            stream.standard_normal(out=row[:length], dtype=np.float32)
        return torch.from_numpy(found).to(self.like)
