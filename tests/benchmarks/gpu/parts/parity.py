"""Float32 on the device against float32 on the CPU: codes, motions, losses, gradients."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.codecs.vq_vae.losses import TokenizerLosses
from motiongpt.codecs.vq_vae.network import VQVAE
from motiongpt.full_float32 import full_float32
from motiongpt.motion.skeleton import HUMANML3D
from tests.benchmarks.gpu.differences import gradient_distance, gradients, relative
from tests.benchmarks.gpu.number import Number, at_most, told
from tests.benchmarks.speed.language import pairs, random_backbone
from tests.benchmarks.speed.motion import (
    MOTION_SIZES,
    fill_codebook,
    random_vq_vae,
    walking_features,
)
from tests.benchmarks.speed.original_vq_vae import COMMITMENT, VELOCITY
from tests.benchmarks.speed.part import Settings

TITLE = "Float32 on the device and on the CPU"
CODES = 1e-3  # share; a latent may lie as near to one code as to another
DECODED = 1e-4  # standard deviations
LOSS, GRADIENT = 1e-5, 1e-3  # relative


def measure(settings: Settings) -> Iterator[Number]:
    """Differences from the CPU; with `--device cpu` the CPU's from itself."""
    yield from _tokenizer(settings)
    yield from _language(replace(settings, dropout=0.0))


def _tokenizer(settings: Settings) -> Iterator[Number]:
    size = MOTION_SIZES[settings.size]
    features, mean, std = walking_features(size.clips, size.frames, settings.seed)
    normalised = torch.from_numpy((features - mean) / std)
    torch.manual_seed(settings.seed)
    network = random_vq_vae(settings).eval()
    fill_codebook(network, normalised[:16])
    clips = list(features)
    codes = TrainedTokenizer(network, mean, std).encode(clips)
    motions = TrainedTokenizer(network, mean, std).decode(codes)
    expected_loss, expected = _loss_and_gradients(network, normalised)
    network.to(settings.device)
    there = TrainedTokenizer(network, mean, std)
    yield at_most("VQ-VAE: share of codes that differ", _share(there.encode(clips), codes), CODES)
    apart = np.abs(np.stack(there.decode(codes)) - np.stack(motions)) / std
    yield at_most("VQ-VAE: motions of the same codes differ by (std)", apart.max(), DECODED)
    with full_float32():
        loss, found = _loss_and_gradients(network, normalised.to(settings.device))
    yield at_most("VQ-VAE: loss differs by (relative)", relative(loss, expected_loss), LOSS)
    distance = gradient_distance(found, expected)
    yield at_most("VQ-VAE: gradients differ by (relative)", distance, GRADIENT)
    if settings.device == "cuda":
        with torch.no_grad():
            rough = network.encode(normalised.to("cuda")).cpu().numpy()
        yield told(
            "VQ-VAE: share of codes that torch's TF32 would change", _share(rough, codes), ""
        )


def _loss_and_gradients(
    network: VQVAE, features: torch.Tensor
) -> tuple[float, dict[str, torch.Tensor]]:
    network.zero_grad()
    losses = TokenizerLosses(HUMANML3D, velocity=VELOCITY, commitment=COMMITMENT)
    loss = losses(network(features), features)["total"]
    loss.backward()
    return float(loss.detach()), gradients(network)


def _language(settings: Settings) -> Iterator[Number]:
    values, found = [], []
    for device in ("cpu", settings.device):
        torch.manual_seed(settings.seed)
        backbone = random_backbone(replace(settings, device="cpu")).train().to(device)
        batch = backbone.collate(pairs(settings))
        loss = backbone.loss({name: tensor.to(device) for name, tensor in batch.items()})
        loss.backward()
        values.append(float(loss.detach()))
        found.append(gradients(backbone))
    difference = relative(values[1], values[0])
    yield at_most("language model: loss differs by (relative)", difference, LOSS)
    distance = gradient_distance(found[1], found[0])
    yield at_most("language model: gradients differ by (relative)", distance, GRADIENT)


def _share(found: list[np.ndarray], expected: list[np.ndarray]) -> float:
    """Share of codes that differ."""
    return float((np.concatenate(list(found)) != np.concatenate(list(expected))).mean())
