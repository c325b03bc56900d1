"""MotionGPT3 (arXiv:2506.24086): a motion from a text by way of a latent, and a text from one."""

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
    MOTION_TO_TEXT,
    TEXT_TO_MOTION,
    Method,
    MotionFormat,
    Output,
    Request,
    part_folder,
)
from motiongpt.methods.mld.examples import latent_shape
from motiongpt.methods.motiongpt3.diffusion import Diffusion, guided_noise
from motiongpt.methods.motiongpt3.folder import TrainedMotionLanguageModel
from motiongpt.methods.motiongpt3.network import before
from motiongpt.sampling.rng import normal_rows


@dataclass(frozen=True)
class Sampling:
    """How a latent is sampled, how long the motion is, and how long a sentence may be.

    Attributes:
        steps: of the diffusion that sampling visits; 100 as released.
        guidance: scale of the classifier-free guidance; 3 as released for its first stage, 1 is
            without.
        temperature: of the noise that each step adds; 1 as released.
        length: frames of a motion whose request has none: "training" draws those of a training
            clip by the request's own stream, a number is taken as it is.
        max_words: tokens of a sentence at most.
        batch_size: requests that are generated at a time; does not change the outputs.

    Raises:
        UserError: another value than these.
    """

    steps: int = 100
    guidance: float = 3.0
    temperature: float = 1.0
    length: int | str = TRAINING
    max_words: int = 60
    batch_size: int = 128

    def __post_init__(self) -> None:
        Diffusion(self.steps)
        for name in ("batch_size", "max_words"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise UserError(f"method motiongpt3: {name}={value}; expected 1 or more")
        for name in ("guidance", "temperature"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise UserError(f"method motiongpt3: {name}={value}; expected a number")
            if not math.isfinite(value):
                raise UserError(f"method motiongpt3: {name}={value}; expected a finite number")
        check_length("motiongpt3", self.length)


class MotionGPT3(Method):
    """A language model whose hidden states steer the sampling of a codec's latent, and back.

    Args:
        codec: with vectors for latents.
        model: trained on this codec's latents.
        sampling: how outputs are generated.

    Raises:
        UserError: parts that were not made for each other.
    """

    name = "motiongpt3"
    options_type = Sampling
    all_tasks = tasks = frozenset({TEXT_TO_MOTION, MOTION_TO_TEXT})
    repeatable = frozenset({MOTION_TO_TEXT})

    def __init__(
        self,
        codec: TrainedLatents,
        model: TrainedMotionLanguageModel,
        sampling: Sampling | None = None,
    ) -> None:
        head = model.network.head
        found, expected = latent_shape(codec), (head.latent_tokens, head.latent_width)
        if found != expected:
            raise UserError(
                f"method motiongpt3: the model was trained for latents of {expected[0]} x "
                f"{expected[1]} numbers, the codec has {found[0]} x {found[1]}: open the parts "
                "that belong together"
            )
        self.codec, self.model = codec, model
        self.sampling = sampling or Sampling()
        self.longest, self.shortest = codec.codec.longest, codec.codec.shortest

    @classmethod
    def load(
        cls,
        folders: Mapping[str, Path],
        format: MotionFormat,
        device: str | torch.device = "cpu",
        **options: Any,
    ) -> Self:
        """See `Method.load`; parts are codec and model, options the fields of `Sampling`.

        Raises:
            UserError: as `Method.load`, or an unknown option.
        """
        chosen = cls.chosen(**options)
        codec, model = (part_folder(folders, part, cls.name) for part in ("codec", "model"))
        return cls(
            TrainedLatents.load(codec, format.skeleton.n_features, device),
            TrainedMotionLanguageModel.load(model, device),
            chosen,
        )

    @torch.no_grad()
    def generate(self, requests: Sequence[Request], seed: int) -> list[Output]:
        """See `Method.generate`; sentences are the likeliest token after token.

        Raises:
            UserError: another task, a request that lacks what its task needs, or a length that the
                codec has not.
        """
        self.check_tasks(requests)
        outputs: dict[int, Output] = {}
        for task, generate in ((TEXT_TO_MOTION, self._motions), (MOTION_TO_TEXT, self._sentences)):
            asked = [number for number, request in enumerate(requests) if request.task == task]
            for first in range(0, len(asked), self.sampling.batch_size):
                some = asked[first : first + self.sampling.batch_size]
                found = generate([requests[number] for number in some], seed)
                outputs.update(zip(some, found, strict=True))
        return [outputs[number] for number in range(len(requests))]

    @property
    def device(self) -> torch.device:
        """Where the language model is."""
        return self.model.network.null_hidden.device

    def _motions(self, requests: Sequence[Request], seed: int) -> list[Output]:
        lengths = [self._frames(request, seed) for request in requests]
        latents = self._latents(requests, seed) / self.model.network.scale
        motions = self.codec.decode(list(latents.cpu().numpy()), lengths)
        return [Output(motion=motion) for motion in motions]

    def _latents(self, requests: Sequence[Request], seed: int) -> Tensor:
        """(B, N, D), scaled, each from its request's own noise."""
        network, sampling = self.model.network, self.sampling
        ids, lengths = self._ids([request.text or "" for request in requests])
        hidden = network.language.motion_of_text(ids, lengths)
        shape = (sampling.steps + 1, network.head.latent_tokens or 1, network.head.latent_width)
        keys = [request.key for request in requests]
        noise = normal_rows(seed, keys, shape).transpose(0, 1).to(self.device)
        noise_of = guided_noise(network.head, hidden, network.null_hidden, sampling.guidance)
        chain = Diffusion(sampling.steps)
        *_, (latents, _predicted) = chain.sample(
            noise_of, noise[0], noise[1:], sampling.temperature
        )
        return latents

    def _ids(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Ids (B, L) with their end, and how many they are (B,)."""
        tokenizer = self.model.text_tokenizer
        end, most = int(tokenizer.eos_token_id), self.model.network.language.max_text - 1
        rows = [torch.tensor([*tokenizer(text)["input_ids"][:most], end]) for text in texts]
        lengths = torch.tensor([len(row) for row in rows], device=self.device)
        padded = torch.nn.utils.rnn.pad_sequence(rows, True, end)
        return padded.to(self.device), lengths

    def _sentences(self, requests: Sequence[Request], seed: int) -> list[Output]:
        for request in requests:
            if request.motion is None:
                raise UserError(
                    f"clip {request.clip}: motion_to_text needs a motion; give the request one"
                )
        clips = [
            request.motion[: self.longest] for request in requests if request.motion is not None
        ]
        means = np.stack([mean for mean, _ in self.codec.encode(clips)])
        network, tokenizer = self.model.network, self.model.text_tokenizer
        latents = network.scale * torch.from_numpy(means).to(self.device)
        end = int(tokenizer.eos_token_id)
        most = min(self.sampling.max_words, network.language.max_text)
        ids = torch.full((len(clips), 1), end, device=self.device)
        ended = torch.zeros(len(clips), dtype=torch.bool, device=self.device)
        for _ in range(most):
            logits = network.language.logits_of_motion(latents, before(ids))
            following = logits[:, -1].argmax(-1).masked_fill(ended, end)
            ids[:, -1] = following
            ended |= following == end
            if bool(ended.all()):
                break
            ids = torch.nn.functional.pad(ids, (0, 1), value=end)
        texts = tokenizer.batch_decode(ids.tolist(), skip_special_tokens=True)
        return [Output(text=text.strip()) for text in texts]

    def _frames(self, request: Request, seed: int) -> int:
        """How long the motion will be.

        Raises:
            UserError: no words to go by, or a length that the codec has not.
        """
        check_words(request)
        return asked_length(self.name, request, self.longest, lambda: self._drawn(request, seed))

    def _drawn(self, request: Request, seed: int) -> int:
        trained, length = self.model.lengths, self.sampling.length
        return drawn_length(request, seed, length, trained, self.longest)
