"""Small untrained parts of MoMask for tests."""

import numpy as np
import torch

from motiongpt.codecs.residual_vq.network import ResidualVQVAE
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.methods.base import MotionFormat
from motiongpt.methods.momask.length import LengthEstimator
from motiongpt.methods.momask.masked import MaskedTransformer
from motiongpt.methods.momask.method import MoMask, Sampling
from motiongpt.methods.momask.residual import ResidualTransformer
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit.fake_text_encoder import FakeTextEncoder

CODES, CODEBOOKS, TEXT_WIDTH, TOKENS = 12, 3, 8, 16
FORMAT = MotionFormat(20.0, HUMANML3D)
SIZES = {"code_dim": 16, "width": 16, "feed_forward": 32, "layers": 1, "heads": 2}


def small_network(**changes: object) -> ResidualVQVAE:
    torch.manual_seed(0)
    sizes = {"codebooks": CODEBOOKS, "codebook_size": CODES, "code_dim": 16, "width": 16}
    network = ResidualVQVAE(**{"n_features": 263, "depth": 1, **sizes, **changes})
    network.train()(torch.randn(8, 64, 263))  # the codebooks begin as vectors of a batch
    return network


def small_codec(**changes: object) -> TrainedTokenizer:
    return TrainedTokenizer(small_network(**changes), np.zeros(263), np.full(263, 0.1, np.float32))


def small_masked(**changes: object) -> MaskedTransformer:
    torch.manual_seed(1)
    sizes = {"codebook_size": CODES, "text_width": TEXT_WIDTH, "max_tokens": TOKENS, **SIZES}
    return _louder(MaskedTransformer(**{**sizes, "dropout": 0.0, **changes}).eval())


def small_residual(**changes: object) -> ResidualTransformer:
    torch.manual_seed(2)
    sizes = {"codebooks": CODEBOOKS, "codebook_size": CODES, "text_width": TEXT_WIDTH, **SIZES}
    settings = {"dropout": 0.0, "max_tokens": TOKENS, **changes}
    return _louder(ResidualTransformer(**{**sizes, **settings}).eval())


def small_length() -> LengthEstimator:
    torch.manual_seed(3)
    return _louder(LengthEstimator(TEXT_WIDTH, TOKENS).eval())


def small_method(**options: object) -> MoMask:
    return MoMask(
        small_codec(),
        small_masked(),
        small_residual(),
        small_length(),
        FakeTextEncoder(TEXT_WIDTH),
        FORMAT,
        Sampling(**{"steps": 5, **options}),
    )


def _louder(network):
    """Weights so large that inputs tell outputs apart."""
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() > 1:
                parameter.mul_(0.4 / parameter.std())
    return network
