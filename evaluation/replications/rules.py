"""The scoring half of a protocol: how outputs become numbers, each known deviation a switch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_type_hints

from evaluation.replications.intervals import IntervalKind
from motiongpt.errors import UserError


@dataclass(frozen=True)
class Rules:
    """One value of each switch; letters and numbers are those of the audit of MotionGPT's code.

    Attributes:
        pool: clips that compete in R-precision; Guo et al. (2022) have 32.
        diversity_pairs, multimodality_pairs: how many are drawn; there 300, and 10 a text.
        packing: "packed" lets the evaluator see a clip's own frames only; "released" lets it run
            through the padding of a batch (C1).
        distances: of R-precision: "euclidean" in float64, "expanded" in float32 as T2M computes
            them, "released" with NaN first (C8).
        motion_length: of a free motion: its "own", or cut and filled with the mean pose to that
            of the real clip, "reference" (C3).
        clip_crop: of real clips before they are embedded: "none", or "random_unit", the random
            crop to a multiple of four frames that T2M's data set makes.
        displacement: ADE and FDE over the frames that a clip has, "own_end", or over its padding
            too, "padded_end" (C5).
        joint_errors: over "valid" frames, or "padded" ones too (C6).
        text_queries: in R-precision of sentences: "motions" ask, or "texts" (C7).
        text_words: of a sentence that the evaluator reads (C7).
        references: of captions: "raw", or "token" for the words that the data set's own
            processing leaves (C7).
        intervals: of the mean over replications: "normal", 1.96 standard errors as the field prints
            them, which hold 85 % at 5 replications and 93 % at 20, or "student", Student's t, which
            hold 95 % at any number.
        embeddings: "raw", or "unit" for length 1, as one independent evaluation has them.
    """

    pool: int = 32
    diversity_pairs: int = 300
    multimodality_pairs: int = 10
    packing: Literal["packed", "released"] = "packed"
    distances: Literal["euclidean", "expanded", "released"] = "euclidean"
    motion_length: Literal["own", "reference"] = "own"
    clip_crop: Literal["none", "random_unit"] = "none"
    displacement: Literal["own_end", "padded_end"] = "own_end"
    joint_errors: Literal["valid", "padded"] = "valid"
    text_queries: Literal["motions", "texts"] = "motions"
    text_words: int = 20
    references: Literal["raw", "token"] = "raw"
    intervals: IntervalKind = "normal"
    embeddings: Literal["raw", "unit"] = "raw"

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Rules":
        """Rules out of `protocol.scoring`.

        Raises:
            UserError: an unknown switch or value; names the valid ones.
        """
        kinds = get_type_hints(cls)
        for name, value in settings.items():
            where = f"protocol.scoring.{name}"
            if name not in kinds:
                raise UserError(f"{where}: no such switch; valid: {', '.join(kinds)}")
            valid = get_args(kinds[name])
            if valid and value not in valid:
                raise UserError(f"{where}={value}: choose one of {', '.join(valid)}")
            if not valid and (type(value) is not int or value < 1):
                raise UserError(f"{where}={value}: a whole number, at least 1")
        return cls(**{str(name): value for name, value in settings.items()})
