"""MoMask (Guo et al., CVPR 2024, arXiv:2312.00063): masked codes are filled in."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from motiongpt.codecs.residual_vq.quantizer import NO_CODE
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.errors import UserError
from motiongpt.methods.asked_length import asked_length, check_length, check_words, given_frames
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
from motiongpt.methods.momask.blocks import OVERHANG
from motiongpt.methods.momask.canvas import Canvas, canvases
from motiongpt.methods.momask.decoding import (
    KEPT,
    Choose,
    add_codebooks,
    codes_of,
    fill_in,
    masked_counts,
    masked_logits,
)
from motiongpt.methods.momask.folder import load_network
from motiongpt.methods.momask.length import LengthEstimator
from motiongpt.methods.momask.masked import MaskedTransformer
from motiongpt.methods.momask.residual import ResidualTransformer
from motiongpt.sampling.choice import choose
from motiongpt.sampling.keys import row_key
from motiongpt.sampling.rng import generator_of, uniform_rows
from motiongpt.text_encoders.base import TextEncoder
from motiongpt.text_encoders.loading import load_text_encoder

DRAWN, LIKELIEST = "drawn", "likeliest"
CHOICES = {"pads": ("never", "released"), "given": ("kept", "released")}
MOST_STEPS = 1000
"""More than any motion has tokens: a step beyond that draws nothing new."""


@dataclass(frozen=True)
class Sampling:
    """How codes are generated, and how long the motion is.

    Attributes:
        steps: of filling in the first codebook; 10 as in the released evaluation.
        guidance: scale of the classifier-free guidance; 4 as released, 1 is without.
        residual_guidance: the same for the other codebooks; 5 as released.
        temperature: divides the logits; 1 as released.
        left_out: share of the codes, the least likely ones, that are never drawn; 0.9 as released.
        length: frames of a motion whose request has none: "drawn" of the estimator's distribution
            by the request's own stream, as released, its "likeliest", or a number.
        pads: whether the class of pads may be drawn where there is motion: "never", or "released",
            where such a token then lacks a code.
        given: what becomes of the other codebooks' codes of frames that are given: "kept", or
            "released": they are drawn anew.
        batch_size: requests that are generated at a time; does not change the outputs.

    Raises:
        UserError: another value than these.
    """

    steps: int = 10
    guidance: float = 4.0
    residual_guidance: float = 5.0
    temperature: float = 1.0
    left_out: float = 0.9
    length: int | str = DRAWN
    pads: str = "never"
    given: str = "kept"
    batch_size: int = 64
    # What `sampling.choice` asks of a way of choosing.
    strategy = "sampling"
    top_k = 0
    top_p = 1.0

    def __post_init__(self) -> None:
        if type(self.steps) is not int or not 1 <= self.steps <= MOST_STEPS:
            raise UserError(f"method momask: steps={self.steps}; expected 1 to {MOST_STEPS}")
        if type(self.batch_size) is not int or self.batch_size < 1:
            raise UserError(f"method momask: batch_size={self.batch_size}; expected 1 or more")
        for name in ("guidance", "residual_guidance", "temperature", "left_out"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise UserError(f"method momask: {name}={value}; expected a number")
            if not math.isfinite(value):
                raise UserError(f"method momask: {name}={value}; expected a finite number")
        if not self.temperature > 0:
            raise UserError(f"method momask: temperature={self.temperature}; expected above 0")
        if not 0 <= self.left_out < 1:
            raise UserError(f"method momask: left_out={self.left_out}; expected 0 to below 1")
        for name, valid in CHOICES.items():
            if (found := getattr(self, name)) not in valid:
                raise UserError(f"method momask: {name}={found}; choose one of: {', '.join(valid)}")
        check_length("momask", self.length, (DRAWN, LIKELIEST))


class MoMask(Method):
    """A text's features, and tokens that are masked until the transformers have filled them in.

    Prediction and in-between give the codes of the given frames and mask the rest; where a request
    has no words the transformers read none.

    Args:
        codec: with several codebooks.
        masked, residual, length: trained on this codec's codes and this text encoder's features.
        text_encoder: on the transformers' device.
        format: of the motions.
        sampling: how codes are generated.

    Raises:
        UserError: parts that were not made for each other.
    """

    name = "momask"
    options_type = Sampling
    all_tasks = tasks = frozenset({TEXT_TO_MOTION, PREDICTION, INBETWEEN})

    def __init__(
        self,
        codec: TrainedTokenizer,
        masked: MaskedTransformer,
        residual: ResidualTransformer,
        length: LengthEstimator,
        text_encoder: TextEncoder,
        format: MotionFormat,
        sampling: Sampling | None = None,
    ) -> None:
        width = text_encoder.width
        for what, expected, found in (
            ("codebooks of codes", masked.codebook_size, codec.codebook_size),
            ("codebooks of codes", residual.codebook_size, codec.codebook_size),
            ("numbers of codebooks", residual.codebooks, codec.codebooks),
            ("texts of numbers", masked.text_width, width),
            ("texts of numbers", residual.text_width, width),
            ("texts of numbers", length.text_width, width),
        ):
            if expected != found:
                raise UserError(
                    f"method momask: a network was trained for {what}: {expected}, the part that "
                    f"goes with it has {found}: open the parts that belong together"
                )
        self.codec, self.masked, self.residual = codec, masked, residual
        self.length, self.text_encoder, self.format = length, text_encoder, format
        self.sampling = sampling or Sampling()
        self.max_tokens = min(masked.max_tokens, residual.max_tokens)
        self.most_frames = self.longest = self.max_tokens * codec.frames_per_token

    @classmethod
    def load(
        cls,
        folders: Mapping[str, Path],
        format: MotionFormat,
        device: str | torch.device = "cpu",
        **options: Any,
    ) -> Self:
        """See `Method.load`; parts codec, masked, residual, length, text_encoder.

        Args:
            options: the fields of `Sampling`.

        Raises:
            UserError: as `Method.load`, or an unknown option.
        """
        chosen = cls.chosen(**options)
        parts = ("codec", "masked", "residual", "length", "text_encoder")
        codec, masked, residual, length, text_encoder = (
            part_folder(folders, part, cls.name) for part in parts
        )
        return cls(
            TrainedTokenizer.load(
                codec, n_features=format.skeleton.n_features, device=device, codebooks=None
            ),
            load_network(MaskedTransformer, masked, device),
            load_network(ResidualTransformer, residual, device),
            load_network(LengthEstimator, length, device),
            load_text_encoder(text_encoder, device),
            format,
            chosen,
        )

    @torch.no_grad()
    def generate(self, requests: Sequence[Request], seed: int) -> list[Output]:
        """See `Method.generate`.

        Raises:
            UserError: another task than these, no words to go by, a length that it has not, or a
                completion of which nothing is given or nothing is missing.
        """
        self.check_tasks(requests)
        outputs: list[Output] = []
        for first in range(0, len(requests), self.sampling.batch_size):
            outputs += self._some(requests[first : first + self.sampling.batch_size], seed)
        return outputs

    def _some(self, requests: Sequence[Request], seed: int) -> list[Output]:
        text = self._features(requests)
        lengths = self._lengths(requests, text, seed)
        rows = canvases(requests, lengths, self.codec, self.format)
        codes = self._codes(rows, text, seed)
        motions = self.codec.decode(codes)
        rate = self.codec.frames_per_token
        return [
            Output(motion=row.motion(motion, self.format, rate))
            for row, motion in zip(rows, motions, strict=True)
        ]

    def _codes(self, rows: Sequence[Canvas], text: Tensor, seed: int) -> list[np.ndarray]:
        """(n, Q) of each row."""
        device, sampling = text.device, self.sampling
        known = torch.nn.utils.rnn.pad_sequence(
            [torch.from_numpy(row.known) for row in rows], batch_first=True, padding_value=NO_CODE
        ).to(device)
        counts = torch.tensor([len(row.known) for row in rows], device=device)
        padding = torch.arange(known.shape[1], device=device) >= counts[:, None]
        asked = (known[..., 0] == NO_CODE) & ~padding
        ids = known[..., 0].masked_fill(asked, self.masked.mask)
        ids = ids.masked_fill(padding, self.masked.pad)
        draw = self._chooser(rows, seed, known.shape[1], device)
        *_, last = fill_in(
            masked_logits(self.masked, text, padding, sampling.guidance),
            ids,
            torch.zeros_like(text[:, :1]).expand(ids.shape).masked_fill(~asked, KEPT),
            masked_counts(asked.sum(1), sampling.steps),
            self.masked.mask,
            draw,
            sampling.left_out,
        )
        layers = add_codebooks(
            self.residual,
            last.ids,
            text,
            padding,
            sampling.residual_guidance,
            lambda number, logits: draw(sampling.steps + number, logits),
            sampling.left_out,
            draws_pads=sampling.pads == "released",
            known=known if sampling.given == "kept" else None,
        )
        codes = codes_of(last.ids, list(layers), padding, self.residual.pad).cpu().numpy()
        return [row[:count] for row, count in zip(codes, counts.tolist(), strict=True)]

    def _chooser(
        self, rows: Sequence[Canvas], seed: int, tokens: int, device: torch.device
    ) -> Choose:
        """Draws by each request's own stream, the same whatever else is in the batch."""
        steps = self.sampling.steps + self.residual.codebooks - 1
        keys, room = [row.request.key for row in rows], self.max_tokens + OVERHANG
        drawn = uniform_rows(seed, keys, steps * room)
        uniforms = drawn.view(len(rows), steps, room)[..., :tokens].to(device)

        def draw(number: int, logits: Tensor) -> Tensor:
            flat = choose(logits.flatten(0, 1), uniforms[:, number].flatten(), self.sampling)
            return flat.view(logits.shape[:2])

        return draw

    def _features(self, requests: Sequence[Request]) -> Tensor:
        """(B, X); each text is encoded once, and none is zeros.

        Raises:
            UserError: a motion is asked for without words.
        """
        for request in requests:
            check_words(request)
        words = list(dict.fromkeys(one.text for one in requests if one.text is not None))
        features = torch.zeros(len(words) + 1, self.text_encoder.width)
        if words:
            features[1:] = self.text_encoder.encode(words).float().cpu()
        row_of = {text: 1 + row for row, text in enumerate(words)}
        rows = [0 if one.text is None else row_of[one.text] for one in requests]
        return features[rows].to(self.masked.positions.device)

    def _lengths(self, requests: Sequence[Request], text: Tensor, seed: int) -> list[int]:
        """Frames of each motion.

        Raises:
            UserError: a length that the transformers have not.
        """
        shares = self.length(text).double().softmax(1)[:, 1:].cpu().numpy()
        return [
            asked_length(
                self.name,
                request,
                self.most_frames,
                partial(self._chosen_length, request, share, seed),
            )
            for request, share in zip(requests, shares, strict=True)
        ]

    def _chosen_length(self, request: Request, share: np.ndarray, seed: int) -> int:
        """Frames of a motion that may end by itself; a prediction goes on for a token at least."""
        if isinstance(self.sampling.length, int):
            frames = self.sampling.length
        else:
            tokens = 1 + int(share.argmax())
            if self.sampling.length == DRAWN:
                stream = generator_of(seed, row_key(request.key, "length"))
                reached = (share / share.sum()).cumsum()
                tokens = 1 + min(int((reached <= stream.random()).sum()), len(share) - 1)
            frames = tokens * self.codec.frames_per_token
        given = given_frames(request)
        least = given + self.codec.frames_per_token if given else 1
        return min(max(frames, least), request.max_frames or self.most_frames, self.most_frames)
