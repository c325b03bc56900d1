"""From noise to a latent, with classifier-free guidance (arXiv:2207.12598).

Shapes: B batch, N latent vectors, D width, X numbers of a text's features.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from motiongpt.methods.mld.denoiser import LatentDenoiser
from motiongpt.methods.mld.schedule import NoiseSchedule


def predicted_noise(
    denoiser: LatentDenoiser, latents: Tensor, step: int, text: Tensor, null_text: Tensor
) -> tuple[Tensor, Tensor]:
    """The noise (B, N, D) in `latents` at one step: without words, and with `text`."""
    rows = len(latents)
    steps = torch.full((2 * rows,), step, device=latents.device)
    texts = torch.cat((null_text.expand(rows, -1), text))
    without, told = denoiser(latents.repeat(2, 1, 1), steps, texts).chunk(2)
    return without, told


def guided_latents(
    denoiser: LatentDenoiser,
    schedule: NoiseSchedule,
    noise: Tensor,
    text: Tensor,
    null_text: Tensor,
    count: int,
    guidance: float,
) -> Iterator[Tensor]:
    """Latents (B, N, D) after each of `count` steps; the last are the sample.

    Args:
        noise: (B, N, D) standard normal, to begin with.
        text: (B, X) features of what is asked.
        null_text: (X,) or (B, X) features of the empty string.
        guidance: how far the prediction goes from that without words through that with them; 1
            listens to the words alone.

    Raises:
        UserError: a count that the schedule has not.
    """
    stride = schedule.stride(count)
    latents = noise
    for step in schedule.sampling_steps(count):
        without, told = predicted_noise(denoiser, latents, step, text, null_text)
        predicted = without + guidance * (told - without)
        latents = schedule.denoise(latents, predicted, step, stride)
        yield latents
