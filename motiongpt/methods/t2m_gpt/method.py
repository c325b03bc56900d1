"""T2M-GPT (arXiv:2301.06052): a motion from a text, code by code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.errors import UserError
from motiongpt.methods.asked_length import check_words
from motiongpt.methods.base import (
    TEXT_TO_MOTION,
    Foreseen,
    Method,
    MotionFormat,
    Output,
    Request,
    part_folder,
)
from motiongpt.methods.t2m_gpt.folder import load_transformer
from motiongpt.methods.t2m_gpt.network import CodeTransformer
from motiongpt.methods.t2m_gpt.sampling import sample_codes
from motiongpt.sampling.rng import uniform_rows
from motiongpt.text_encoders.base import TextEncoder
from motiongpt.text_encoders.loading import load_text_encoder

RELEASED_FIRST_STOP = np.array([1], np.int64)
"""What the released evaluation takes for a row that stops before its first code."""
CHOICES = {"strategy": ("sampling", "greedy"), "first_stop": ("empty", "released")}


@dataclass(frozen=True)
class Generation:
    """How codes are generated.

    Attributes:
        strategy: "sampling" draws, as the paper's final numbers; "greedy" takes the likeliest.
        first_stop: what a stop before the first code gives: "empty", a motion without frames, or
            "released", a single code of id 1.
        batch_size: rows that are generated at a time; does not change the outputs.

    Raises:
        UserError: another value than these.
    """

    strategy: str = "sampling"
    first_stop: str = "empty"
    batch_size: int = 128

    def __post_init__(self) -> None:
        for name, valid in CHOICES.items():
            if (found := getattr(self, name)) not in valid:
                raise UserError(
                    f"method t2m_gpt: {name}={found}; choose one of: {', '.join(valid)}"
                )
        if self.batch_size < 1:
            raise UserError(f"method t2m_gpt: batch_size={self.batch_size}; expected 1 or more")

    @property
    def is_repeatable(self) -> bool:
        """Whether outputs are the same whatever the seed."""
        return self.strategy == "greedy"


class T2MGPT(Method):
    """A text's features, a transformer that continues them with codes, a codec that decodes these.

    Args:
        codec: with a codebook of its own normalisation.
        transformer: trained on this codec's codes and this text encoder's features.
        text_encoder: on the transformer's device.
        generation: how codes are generated.

    Raises:
        UserError: parts that were not made for each other.
    """

    name = "t2m_gpt"
    options_type = Generation
    all_tasks = frozenset({TEXT_TO_MOTION})
    tasks = all_tasks

    def __init__(
        self,
        codec: TrainedTokenizer,
        transformer: CodeTransformer,
        text_encoder: TextEncoder,
        generation: Generation | None = None,
    ) -> None:
        fits = {
            "codebook of codes": (transformer.codebook_size, codec.codebook_size, "codec"),
            "text of numbers": (transformer.text_width, text_encoder.width, "text encoder"),
        }
        for what, (expected, found, part) in fits.items():
            if expected != found:
                raise UserError(
                    f"method t2m_gpt: the transformer was trained for a {what.split()[0]} of "
                    f"{expected} {what.split()[-1]}, the {part} has {found}: open the parts that "
                    "belong together"
                )
        self.codec, self.transformer, self.text_encoder = codec, transformer.eval(), text_encoder
        self.generation = generation or Generation()
        self.longest = transformer.max_codes * codec.frames_per_token
        self.repeatable = self.tasks if self.generation.is_repeatable else frozenset()

    @classmethod
    def foresee(cls, **options: Any) -> Foreseen:
        """See `Method.foresee`."""
        repeatable = cls.chosen(**options).is_repeatable
        return Foreseen(cls.all_tasks, cls.all_tasks if repeatable else frozenset())

    @classmethod
    def load(
        cls,
        folders: Mapping[str, Path],
        format: MotionFormat,
        device: str | torch.device = "cpu",
        **options: Any,
    ) -> Self:
        """See `Method.load`; parts "codec", "transformer" and "text_encoder".

        Args:
            options: the fields of `Generation`.

        Raises:
            UserError: as `Method.load`, or an unknown option.
        """
        chosen = cls.chosen(**options)
        codec, transformer, text_encoder = (
            part_folder(folders, part, cls.name)
            for part in ("codec", "transformer", "text_encoder")
        )
        return cls(
            TrainedTokenizer.load(codec, n_features=format.skeleton.n_features, device=device),
            load_transformer(transformer, device),
            load_text_encoder(text_encoder, device),
            chosen,
        )

    def generate(self, requests: Sequence[Request], seed: int) -> list[Output]:
        """See `Method.generate`.

        A request with a number of frames gets a motion of so many, up to `longest`: the stop can't
        be chosen before, and what the last code has too many is cut off. Without it the motion ends
        where the transformer stops, or at the request's `max_frames`, or at `longest`.

        Raises:
            UserError: another task than text to motion, a request without words, or one of no
                frames.
        """
        self.check_tasks(requests)
        for request in requests:
            _check(request)
        motions = self._decoded(self._codes(requests, seed))
        return [
            Output(motion=motion[: request.frames or request.max_frames])
            for request, motion in zip(requests, motions, strict=True)
        ]

    def _codes(self, requests: Sequence[Request], seed: int) -> list[np.ndarray]:
        """Codes (n,) of each request."""
        size, rate = self.generation.batch_size, self.codec.frames_per_token
        found: list[np.ndarray] = []
        for first in range(0, len(requests), size):
            some = requests[first : first + size]
            uniforms = None
            if self.generation.strategy == "sampling":
                keys = [request.key for request in some]
                uniforms = uniform_rows(seed, keys, self.transformer.max_codes)
            exactly = torch.tensor([-(-(request.frames or 0) // rate) for request in some])
            codes = sample_codes(self.transformer, self._features(some), uniforms, exactly)
            found += [_ended(row, request, rate) for row, request in zip(codes, some, strict=True)]
        if self.generation.first_stop == "released":
            found = [codes if len(codes) else RELEASED_FIRST_STOP for codes in found]
        return found

    def _features(self, requests: Sequence[Request]) -> Tensor:
        """(B, X); each text is encoded once."""
        numbers: dict[str, int] = {}
        rows = [numbers.setdefault(request.text or "", len(numbers)) for request in requests]
        return self.text_encoder.encode(list(numbers))[rows]

    def _decoded(self, codes: Sequence[np.ndarray]) -> list[np.ndarray]:
        """(T, F) float32 of each row; (0, F) where there are no codes."""
        decoded = iter(self.codec.decode([row for row in codes if len(row)]))
        nothing = np.zeros((0, self.codec.n_features), np.float32)
        return [next(decoded) if len(row) else nothing for row in codes]


def _ended(codes: np.ndarray, request: Request, rate: int) -> np.ndarray:
    """Codes (n,) of a request that may end by itself, up to its `max_frames`; one code at least."""
    if request.frames is not None or request.max_frames is None:
        return codes
    return codes[: max(1, request.max_frames // rate)]


def _check(request: Request) -> None:
    check_words(request)
    if request.frames is not None and request.frames < 1:
        raise UserError(
            f"clip {request.clip}: {request.frames} frames asked for; ask for 1 or more, or for "
            "none to let the method end"
        )
