"""Small untrained parts of MLD for tests: a text encoder, a codec and a denoiser."""

import zlib
from collections.abc import Sequence

import numpy as np
import torch

from motiongpt.codecs.mld_vae.network import MLDVAE
from motiongpt.codecs.trained_latents import TrainedLatents
from motiongpt.methods.mld.denoiser import LatentDenoiser
from motiongpt.methods.mld.folder import TrainedDenoiser
from motiongpt.methods.mld.method import MLD, Sampling
from motiongpt.methods.mld.schedule import NoiseSchedule

WIDTH, TEXT_WIDTH, LONGEST = 16, 12, 58


class FakeTextEncoder:
    """Features that depend on the words alone."""

    width = TEXT_WIDTH

    def encode(self, texts: Sequence[str]) -> torch.Tensor:
        rows = [
            np.random.default_rng(zlib.crc32(text.encode())).standard_normal(self.width)
            for text in texts
        ]
        return torch.from_numpy(np.stack(rows)).float()


def small_codec(width: int = WIDTH) -> TrainedLatents:
    torch.manual_seed(0)
    network = MLDVAE(263, width=width, feed_forward=32, layers=3, positions=LONGEST + 2)
    return TrainedLatents(network, np.zeros(263, np.float32), np.full(263, 0.5, np.float32))


def small_denoiser(**changes: int) -> LatentDenoiser:
    torch.manual_seed(1)
    sizes = {"latent_tokens": 1, "width": WIDTH, "text_width": TEXT_WIDTH} | changes
    settings = {"feed_forward": 32, "layers": 3, "dropout": 0.0, "positions": 8}
    return LatentDenoiser(**sizes, **settings)


def small_method(**options: object) -> MLD:
    trained = TrainedDenoiser(
        small_denoiser().eval(), NoiseSchedule(), np.array([9, 20, 31, 44], np.int64)
    )
    chosen = Sampling(**{"steps": 6, **options})
    return MLD(small_codec(), trained, FakeTextEncoder(), chosen)
