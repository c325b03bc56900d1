"""Small untrained models for tests of everything around a model: a tokenizer and a backbone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from motiongpt.backbones.base import Backbone
from motiongpt.backbones.t5 import T5Backbone
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.codecs.vq_vae.network import VQVAE
from motiongpt.codecs.vq_vae.quantizers.ema_reset import EMAResetQuantizer
from motiongpt.methods.base import MotionFormat
from motiongpt.motion.skeleton import HUMANML3D, Skeleton
from motiongpt.published.folder import write_model_folder

CODES = 16
TEXTS = ("a person walks forward and waves with the left hand",)


def tiny_tokenizer(skeleton: Skeleton = HUMANML3D, codes: int = CODES) -> TrainedTokenizer:
    """A VQ-VAE of 4 frames a token whose codebook holds something."""
    torch.manual_seed(0)
    network = VQVAE(
        n_features=skeleton.n_features,
        quantizer=EMAResetQuantizer,
        frames_per_token=4,
        codebook_size=codes,
        code_dim=16,
        width=16,
        depth=1,
        dilation_growth=3,
        activation="relu",
    )
    network(torch.randn(4, 64, skeleton.n_features))
    width = skeleton.n_features
    return TrainedTokenizer(network, np.zeros(width), np.full(width, 0.1, np.float32))


def tiny_backbone(codes: int = CODES, texts: Sequence[str] = TEXTS) -> Backbone:
    """A T5 of one layer."""
    torch.manual_seed(0)
    return T5Backbone.scratch(
        codes,
        list(texts),
        width=16,
        feed_forward_width=32,
        encoder_layers=1,
        decoder_layers=1,
        heads=2,
    )


def tiny_model_folder(folder: Path, source: Mapping[str, Any] | None = None) -> Path:
    """`folder`, holding a MotionGPT called tiny.

    Args:
        source: what it says of where it comes from.
    """
    write_model_folder(
        folder,
        {"codec": tiny_tokenizer().save, "language_model": tiny_backbone().save},
        method="motiongpt",
        name="tiny",
        format=MotionFormat(20.0, HUMANML3D),
        source=dict(source or {}),
    )
    return folder
