"""TM2T (Guo et al., ECCV 2022, arXiv:2207.01696): motion and words, translated both ways."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.errors import UserError
from motiongpt.methods.asked_length import check_words
from motiongpt.methods.base import (
    MOTION_TO_TEXT,
    TEXT_TO_MOTION,
    Foreseen,
    Method,
    MotionFormat,
    Output,
    Request,
    part_folder,
)
from motiongpt.methods.tm2t.beams import beam_steps, best_beam
from motiongpt.methods.tm2t.folder import TrainedToText, load_to_motion
from motiongpt.methods.tm2t.generating import ReadWords, TranslatedSource, generate_rows
from motiongpt.methods.tm2t.rows import motion_marks, padded
from motiongpt.methods.tm2t.seq2seq import WordsToCodes
from motiongpt.sampling.rng import uniform_rows
from motiongpt.text_encoders.base import TextEncoder
from motiongpt.text_encoders.loading import load_text_encoder
from motiongpt.text_encoders.texts import read

BEAMS = ("waiting", "released")


@dataclass(frozen=True)
class Generation:
    """How codes and words are generated.

    Attributes:
        likeliest: codes are drawn among so many of the likeliest; 100 as released, 1 draws none.
        most_codes: of a motion; 49 as released.
        beams: of the words; 2 as released, 1 takes the likeliest word each time.
        most_words: of a sentence, start and end counted; 30 as released.
        ended_beams: "waiting" as they are, or "released": they go on and pay for it.
        batch_size: requests at a time; does not change the outputs.

    Raises:
        UserError: another value than these.
    """

    likeliest: int = 100
    most_codes: int = 49
    beams: int = 2
    most_words: int = 30
    ended_beams: str = "waiting"
    batch_size: int = 128

    def __post_init__(self) -> None:
        for name in ("likeliest", "most_codes", "beams", "most_words", "batch_size"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise UserError(f"method tm2t: {name}={value}; expected a number, 1 or more")
        if self.ended_beams not in BEAMS:
            raise UserError(
                f"method tm2t: ended_beams={self.ended_beams}; choose one of: {', '.join(BEAMS)}"
            )

    @property
    def repeatable(self) -> frozenset[str]:
        """Tasks whose outputs are the same whatever the seed."""
        drawn = frozenset() if self.likeliest == 1 else frozenset({TEXT_TO_MOTION})
        return frozenset({TEXT_TO_MOTION, MOTION_TO_TEXT}) - drawn


class TM2T(Method):
    """A codec, its codes translated into words, and words translated into its codes.

    Args:
        codec: with a codebook.
        to_text: trained on this codec's codes.
        to_motion: trained on this codec's codes and this text encoder's words.
        text_encoder: on the networks' device.
        generation: how codes and words are generated.

    Raises:
        UserError: parts that were not made for each other.
    """

    name = "tm2t"
    options_type = Generation
    all_tasks = tasks = frozenset({TEXT_TO_MOTION, MOTION_TO_TEXT})

    def __init__(
        self,
        codec: TrainedTokenizer,
        to_text: TrainedToText,
        to_motion: WordsToCodes,
        text_encoder: TextEncoder,
        generation: Generation | None = None,
    ) -> None:
        for what, expected, found, part in (
            ("codes", to_text.codebook_size, codec.codebook_size, "codec"),
            ("codes", to_motion.codes - 3, codec.codebook_size, "codec"),
            ("numbers a word", to_motion.text_width, text_encoder.width, "text encoder"),
        ):
            if expected != found:
                raise UserError(
                    f"method tm2t: a network was trained for {expected} {what}, the {part} has "
                    f"{found}: open the parts that belong together"
                )
        self.codec, self.to_text, self.to_motion = codec, to_text, to_motion
        self.text_encoder, self.generation = text_encoder, generation or Generation()
        self.longest = self.generation.most_codes * codec.frames_per_token
        self.repeatable = self.generation.repeatable

    @classmethod
    def foresee(cls, **options: Any) -> Foreseen:
        """See `Method.foresee`."""
        return Foreseen(cls.all_tasks, cls.chosen(**options).repeatable)

    @classmethod
    def load(
        cls,
        folders: Mapping[str, Path],
        format: MotionFormat,
        device: str | torch.device = "cpu",
        **options: Any,
    ) -> Self:
        """See `Method.load`; parts are codec, to_text, to_motion and text_encoder.

        Args:
            options: the fields of `Generation`.

        Raises:
            UserError: as `Method.load`, or an unknown option.
        """
        chosen = cls.chosen(**options)
        codec, to_text, to_motion, text_encoder = (
            part_folder(folders, part, cls.name)
            for part in ("codec", "to_text", "to_motion", "text_encoder")
        )
        return cls(
            TrainedTokenizer.load(codec, n_features=format.skeleton.n_features, device=device),
            TrainedToText.load(to_text, device),
            load_to_motion(to_motion, device),
            load_text_encoder(text_encoder, device),
            chosen,
        )

    def generate(self, requests: Sequence[Request], seed: int) -> list[Output]:
        """See `Method.generate`.

        A motion of a number of frames has so many, up to `longest`: what the last code has too
        many is cut off. Without it the motion ends by itself, or at the request's `max_frames`.

        Raises:
            UserError: a task that it cannot do, a request without what its task needs, or one of
                no frames.
        """
        self.check_tasks(requests)
        for request in requests:
            _check(request, self.codec.n_features)
        found: dict[int, Output] = {}
        for task, answer in ((TEXT_TO_MOTION, self._motions), (MOTION_TO_TEXT, self._sentences)):
            asked = [index for index, one in enumerate(requests) if one.task == task]
            for first in range(0, len(asked), self.generation.batch_size):
                some = asked[first : first + self.generation.batch_size]
                outputs = answer([requests[index] for index in some], seed)
                found.update(zip(some, outputs, strict=True))
        return [found[index] for index in range(len(requests))]

    @torch.no_grad()
    def _motions(self, requests: Sequence[Request], seed: int) -> list[Output]:
        rate, chosen = self.codec.frames_per_token, self.generation
        texts = read(self.text_encoder, [request.text or "" for request in requests], words=True)
        source = ReadWords(self.to_motion, texts.features, (~texts.hidden).sum(1))
        uniforms = uniform_rows(seed, [one.key for one in requests], chosen.most_codes)
        exactly = [min(-(-(one.frames or 0) // rate), chosen.most_codes) for one in requests]
        rows = generate_rows(
            source,
            motion_marks(self.codec.codebook_size),
            chosen.most_codes,
            None if chosen.likeliest == 1 else uniforms,
            chosen.likeliest,
            torch.tensor(exactly),
        )
        codes = [row.cpu().numpy() for row in rows.content()]
        decoded = iter(self.codec.decode([row for row in codes if len(row)]))
        nothing = np.zeros((0, self.codec.n_features), np.float32)
        motions = [next(decoded) if len(row) else nothing for row in codes]
        return [
            Output(motion=motion[: request.frames or request.max_frames])
            for request, motion in zip(requests, motions, strict=True)
        ]

    @torch.no_grad()
    def _sentences(self, requests: Sequence[Request], seed: int) -> list[Output]:
        """The seed changes nothing."""
        codes = self.codec.encode([self._whole(one.motion) for one in requests])
        marks, chosen = motion_marks(self.codec.codebook_size), self.generation
        network, words = self.to_text.network, self.to_text.vocabulary
        most = chosen.most_codes
        rows = [[marks.start, *row[:most].tolist(), marks.end] for row in codes]
        if chosen.beams == 1:
            source = self._source(rows)
            found = generate_rows(source, words.marks, chosen.most_words - 2).content()
            return [Output(text=words.sentence(row.tolist())) for row in found]
        outputs = []
        for row in rows:
            *_, last = beam_steps(
                self._source([row]),
                words.marks,
                min(chosen.beams, network.target),
                chosen.most_words,
                chosen.ended_beams == "released",
            )
            best = best_beam(last, words.marks)
            outputs.append(Output(text=words.sentence(best.tolist())))
        return outputs

    def _source(self, rows: Sequence[Sequence[int]]) -> TranslatedSource:
        network, pad = self.to_text.network, motion_marks(self.codec.codebook_size).pad
        ids = padded(rows, pad).to(network.output.weight.device)
        return TranslatedSource(network, ids, ids != pad)

    def _whole(self, motion: np.ndarray | None) -> np.ndarray:
        """Rows of whole tokens; a motion shorter than one holds its last row."""
        assert motion is not None
        rate = self.codec.frames_per_token
        held = np.repeat(motion[-1:], max(0, rate - len(motion)), axis=0)
        whole = np.concatenate([motion, held])
        return whole[: len(whole) // rate * rate]


def _check(request: Request, n_features: int) -> None:
    check_words(request)
    if request.frames is not None and request.frames < 1:
        raise UserError(
            f"clip {request.clip}: {request.frames} frames asked for; ask for 1 or more, or for "
            "none to let the method end"
        )
    if request.task == MOTION_TO_TEXT:
        motion = request.motion
        if motion is None or motion.ndim != 2 or motion.shape[1] != n_features or not len(motion):
            shape = "none" if motion is None else f"shape {motion.shape}"
            raise UserError(
                f"clip {request.clip}: motion of {shape}; motion_to_text needs features "
                f"(frames, {n_features})"
            )
