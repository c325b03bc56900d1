"""MLD (Chen et al., CVPR 2023, arXiv:2212.04048): a motion from a text, by way of a latent."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from motiongpt.codecs.trained_latents import TrainedLatents
from motiongpt.errors import UserError
from motiongpt.methods.asked_length import (
    TRAINING,
    asked_length,
    check_length,
    check_words,
    drawn_length,
)
from motiongpt.methods.base import (
    TEXT_TO_MOTION,
    Method,
    MotionFormat,
    Output,
    Request,
    part_folder,
)
from motiongpt.methods.mld.examples import latent_shape
from motiongpt.methods.mld.folder import TrainedDenoiser
from motiongpt.methods.mld.sampling import guided_latents
from motiongpt.methods.mld.schedule import check_sampling_steps
from motiongpt.sampling.rng import normal_rows
from motiongpt.text_encoders.base import TextEncoder
from motiongpt.text_encoders.loading import load_text_encoder


@dataclass(frozen=True)
class Sampling:
    """How a latent is sampled, and how long the motion is.

    Attributes:
        steps: of DDIM; 50 as released.
        guidance: scale of the classifier-free guidance; 7.5 as released, 1 is without.
        length: frames of a motion whose request has none: "training" draws those of a training
            clip by the request's own stream (MLD itself can't end a motion), a number is taken as
            it is.
        batch_size: requests that are sampled at a time; does not change the outputs.
        trained_steps: of the diffusion, so that more are refused before it is trained; None waits
            for the trained model to say.

    Raises:
        UserError: another value than these.
    """

    steps: int = 50
    guidance: float = 7.5
    length: int | str = TRAINING
    batch_size: int = 128
    trained_steps: int | None = None

    def __post_init__(self) -> None:
        for name in ("batch_size", "steps"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise UserError(f"method mld: {name}={value}; expected a number, 1 or more")
        if self.trained_steps is not None:
            check_sampling_steps(self.steps, self.trained_steps)
        if not isinstance(self.guidance, int | float) or not math.isfinite(self.guidance):
            raise UserError(f"method mld: guidance={self.guidance}; expected a finite number")
        check_length("mld", self.length)


class MLD(Method):
    """A text's features, a denoiser that samples a latent for them, a codec that decodes it.

    Args:
        codec: with vectors for latents.
        denoiser: trained on this codec's latents and this text encoder's features.
        text_encoder: on the denoiser's device.
        sampling: how a latent is sampled.

    Raises:
        UserError: parts that were not made for each other, or more steps than the noise has.
    """

    name = "mld"
    options_type = Sampling
    all_tasks = tasks = frozenset({TEXT_TO_MOTION})

    def __init__(
        self,
        codec: TrainedLatents,
        denoiser: TrainedDenoiser,
        text_encoder: TextEncoder,
        sampling: Sampling | None = None,
    ) -> None:
        network = denoiser.network
        found, expected = latent_shape(codec), (network.latent_tokens, network.width)
        if found != expected:
            raise UserError(
                f"method mld: the denoiser was trained for latents of {expected[0]} x "
                f"{expected[1]} numbers, the codec has {found[0]} x {found[1]}: open the parts "
                "that belong together"
            )
        if text_encoder.width != network.text_width:
            raise UserError(
                f"method mld: the denoiser was trained for texts of {network.text_width} numbers, "
                f"the text encoder has {text_encoder.width}: open the parts that belong together"
            )
        self.sampling = sampling or Sampling()
        denoiser.schedule.stride(self.sampling.steps)
        self.codec, self.denoiser, self.text_encoder = codec, denoiser, text_encoder
        self.longest = codec.codec.longest

    @classmethod
    def load(
        cls,
        folders: Mapping[str, Path],
        format: MotionFormat,
        device: str | torch.device = "cpu",
        **options: Any,
    ) -> Self:
        """See `Method.load`; parts are codec, denoiser and text_encoder, options `Sampling`'s.

        Raises:
            UserError: as `Method.load`, or an unknown option.
        """
        chosen = cls.chosen(**options)
        codec, denoiser, text_encoder = (
            part_folder(folders, part, cls.name) for part in ("codec", "denoiser", "text_encoder")
        )
        return cls(
            TrainedLatents.load(codec, format.skeleton.n_features, device),
            TrainedDenoiser.load(denoiser, device),
            load_text_encoder(text_encoder, device),
            chosen,
        )

    @torch.no_grad()
    def generate(self, requests: Sequence[Request], seed: int) -> list[Output]:
        """See `Method.generate`; a request without a number of frames gets `Sampling.length`.

        Raises:
            UserError: another task than text to motion, a request without words, or one of fewer
                than one or more than `longest` frames.
        """
        self.check_tasks(requests)
        lengths = [self._frames(request, seed) for request in requests]
        latents: list[np.ndarray] = []
        for first in range(0, len(requests), self.sampling.batch_size):
            some = requests[first : first + self.sampling.batch_size]
            latents += list(self._latents(some, seed).cpu().numpy())
        return [Output(motion=motion) for motion in self.codec.decode(latents, lengths)]

    def _latents(self, requests: Sequence[Request], seed: int) -> Tensor:
        """(B, N, D), each from its request's own noise."""
        network, sampling = self.denoiser.network, self.sampling
        shape = (network.latent_tokens, network.width)
        noise = normal_rows(seed, [request.key for request in requests], shape)
        texts = list(dict.fromkeys(["", *(request.text or "" for request in requests)]))
        features = self.text_encoder.encode(texts).to(network.positions)
        rows = [texts.index(request.text or "") for request in requests]
        *_, latents = guided_latents(
            network,
            self.denoiser.schedule,
            noise.to(network.positions),
            features[rows],
            features[0],
            sampling.steps,
            sampling.guidance,
        )
        return latents

    def _frames(self, request: Request, seed: int) -> int:
        """How long the motion will be.

        Raises:
            UserError: no words to go by, or a length that the codec has not.
        """
        check_words(request)
        return asked_length(self.name, request, self.longest, lambda: self._drawn(request, seed))

    def _drawn(self, request: Request, seed: int) -> int:
        trained, length = self.denoiser.lengths, self.sampling.length
        return drawn_length(request, seed, length, trained, self.longest)
