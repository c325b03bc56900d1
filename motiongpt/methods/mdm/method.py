"""MDM (Tevet et al., ICLR 2023, arXiv:2209.14916): a motion out of noise, told what by a text.

Prediction and in-between are inpainting: what is given replaces the network's own at every step.
Shapes: B batch, T frames, F features.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from motiongpt.errors import UserError
from motiongpt.methods.asked_length import (
    TRAINING,
    asked_length,
    check_length,
    check_words,
    drawn_length,
    given_frames,
)
from motiongpt.methods.base import (
    INBETWEEN,
    PREDICTION,
    TEXT_TO_MOTION,
    Method,
    MotionFormat,
    Output,
    Request,
    part_folder,
)
from motiongpt.methods.mdm.completion import check_given, finished, placed
from motiongpt.methods.mdm.folder import TrainedMotionDenoiser
from motiongpt.methods.mdm.sampling import Given, NoiseOfRows, sampled
from motiongpt.methods.mdm.schedule import check_steps
from motiongpt.sampling.rng import generator_of
from motiongpt.text_encoders.base import TextEncoder
from motiongpt.text_encoders.loading import load_text_encoder
from motiongpt.text_encoders.texts import read


@dataclass(frozen=True)
class Sampling:
    """How a motion is sampled, and how long it is.

    Attributes:
        steps: of the diffusion's that are gone through; None for all that were trained, as in the
            paper.
        guidance: scale of the classifier-free guidance; 2.5 as released, 1 is without. Requests
            without words have none.
        length: frames of a motion whose request has none: "training" draws those of a training
            clip by the request's own stream (MDM can't end a motion), a number is taken as it is.
        batch_size: requests that are sampled at a time; does not change the outputs.
        trained_steps: of the diffusion that will be trained, where that is known; with it more
            `steps` are refused before.

    Raises:
        UserError: another value than these.
    """

    steps: int | None = None
    guidance: float = 2.5
    length: int | str = TRAINING
    batch_size: int = 64
    trained_steps: int | None = None

    def __post_init__(self) -> None:
        if self.steps is not None:
            check_steps(self.steps, self.trained_steps)
        if type(self.batch_size) is not int or self.batch_size < 1:
            raise UserError(
                f"method mdm: batch_size={self.batch_size}; expected a number, 1 or more"
            )
        if not isinstance(self.guidance, int | float) or not math.isfinite(self.guidance):
            raise UserError(f"method mdm: guidance={self.guidance}; expected a finite number")
        check_length("mdm", self.length)


class MDM(Method):
    """A text's features, and a denoiser that makes a motion for them out of noise.

    Args:
        denoiser: trained on this text encoder's features.
        text_encoder: on the denoiser's device.
        sampling: how a motion is sampled.

    Raises:
        UserError: parts that were not made for each other, or more steps than were trained.
    """

    name = "mdm"
    options_type = Sampling
    all_tasks = tasks = frozenset({TEXT_TO_MOTION, PREDICTION, INBETWEEN})

    def __init__(
        self,
        denoiser: TrainedMotionDenoiser,
        text_encoder: TextEncoder,
        sampling: Sampling | None = None,
    ) -> None:
        network = denoiser.network
        if text_encoder.width != network.text_width:
            raise UserError(
                f"method mdm: the denoiser was trained for texts of {network.text_width} numbers, "
                f"the text encoder has {text_encoder.width}: open the parts that belong together"
            )
        self.sampling = sampling or Sampling()
        self.chain = denoiser.schedule.spaced(self.sampling.steps or len(denoiser.schedule))
        self.denoiser, self.text_encoder = denoiser, text_encoder
        self.longest = network.frames

    @classmethod
    def load(
        cls,
        folders: Mapping[str, Path],
        format: MotionFormat,
        device: str | torch.device = "cpu",
        **options: Any,
    ) -> Self:
        """See `Method.load`; parts are denoiser and text_encoder, options `Sampling`'s.

        Raises:
            UserError: as `Method.load`, or an unknown option.
        """
        chosen = cls.chosen(**options)
        denoiser, text_encoder = (
            part_folder(folders, part, cls.name) for part in ("denoiser", "text_encoder")
        )
        trained = TrainedMotionDenoiser.load(denoiser, device)
        found, wanted = trained.network.n_features, format.skeleton.n_features
        if found != wanted:
            raise UserError(
                f"{denoiser}: a denoiser of {found} features; {format.skeleton.name} has {wanted}"
            )
        return cls(trained, load_text_encoder(text_encoder, device), chosen)

    @torch.no_grad()
    def generate(self, requests: Sequence[Request], seed: int) -> list[Output]:
        """See `Method.generate`; a request without a number of frames gets `Sampling.length`.

        Raises:
            UserError: a task that it cannot do, text to motion without words, a completion of
                nothing, or fewer frames than one or more than `longest`.
        """
        self.check_tasks(requests)
        lengths = [self._frames(request, seed) for request in requests]
        # motions of similar lengths together: less padding
        order = sorted(range(len(requests)), key=lambda index: lengths[index])
        found: dict[int, np.ndarray] = {}
        for first in range(0, len(order), self.sampling.batch_size):
            some = order[first : first + self.sampling.batch_size]
            asked, frames = [requests[i] for i in some], [lengths[i] for i in some]
            found.update(zip(some, self._motions(asked, frames, seed), strict=True))
        return [Output(motion=found[index]) for index in range(len(requests))]

    def _motions(
        self, requests: Sequence[Request], lengths: Sequence[int], seed: int
    ) -> list[np.ndarray]:
        """Raw features (T, F) of each request."""
        network = self.denoiser.network
        like = network.output.weight
        whole = lengths if network.hide_padding else [network.frames] * len(lengths)
        streams = [generator_of(seed, request.key) for request in requests]
        texts = list(dict.fromkeys(request.text or "" for request in requests))
        rows = [texts.index(request.text or "") for request in requests]
        scales = [0.0 if one.text is None else float(self.sampling.guidance) for one in requests]
        *_, last = sampled(
            network,
            self.chain,
            NoiseOfRows(streams, whole, network.n_features, like),
            read(self.text_encoder, texts, network.words).rows(rows).as_of(like),
            torch.tensor(scales, device=like.device),
            torch.tensor(lengths, device=like.device) if len(set(whole)) > 1 else None,
            self._given(requests, lengths, max(whole), like),
        )
        made = last.motion.float().cpu().numpy()
        return [
            self._finished(request, self.denoiser.raw(row[:length]))
            for request, row, length in zip(requests, made, lengths, strict=True)
        ]

    def _given(
        self, requests: Sequence[Request], lengths: Sequence[int], longest: int, like: Tensor
    ) -> Given | None:
        """What completions give, normalised; None where no request is one."""
        if not any(given_frames(request) for request in requests):
            return None
        shape = (len(requests), longest, self.denoiser.network.n_features)
        motion, kept = np.zeros(shape, np.float32), np.zeros((*shape[:2], 1), bool)
        for row, (request, length) in enumerate(zip(requests, lengths, strict=True)):
            raw, there = placed(request, length, shape[2])
            motion[row, :length] = self.denoiser.normalised(raw)
            kept[row, :length, 0] = there
        return Given(torch.from_numpy(motion).to(like), torch.from_numpy(kept).to(like.device))

    def _finished(self, request: Request, motion: np.ndarray) -> np.ndarray:
        return finished(request, motion) if given_frames(request) else motion

    def _frames(self, request: Request, seed: int) -> int:
        """How long the motion will be.

        Raises:
            UserError: no words or frames to go by, or a length that there is not.
        """
        check_words(request)
        if request.task != TEXT_TO_MOTION or given_frames(request):
            check_given(request, self.denoiser.network.n_features)
        return asked_length(self.name, request, self.longest, lambda: self._drawn(request, seed))

    def _drawn(self, request: Request, seed: int) -> int:
        trained, length = self.denoiser.lengths, self.sampling.length
        return drawn_length(request, seed, length, trained, self.longest)
