"""Sentences made into codes, and which of their words each code was read from.

Shape letters: T frames, J joints.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from motiongpt.api.opening import open_model
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.errors import UserError
from motiongpt.methods.base import Attended
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import Skeleton


@dataclass(frozen=True)
class ReadSentence:
    """One sentence.

    Attributes:
        text: as it was asked.
        attended: words, codes, and what the codes read.
        joints: (T, J, 3) metres of the codes.
    """

    text: str
    attended: Attended
    joints: np.ndarray


def read_sentences(
    where: str | Path,
    texts: Sequence[str],
    codec: TrainedTokenizer,
    skeleton: Skeleton,
    seed: int,
    device: str | None = None,
) -> list[ReadSentence]:
    """Have the method of a run generate each sentence.

    Args:
        codec: that of the method.

    Raises:
        UserError: no whole method there, one that makes no motion of words, or one whose network
            has no attention from codes to words.
    """
    if not texts:
        return []
    method = open_model(where, device or ("cuda" if torch.cuda.is_available() else "cpu")).method
    found = []
    for text in texts:
        attended = method.attended(text, seed)
        if attended is None:
            raise UserError(
                f"--sentence: the model of method {method.name} in {where} has no attention from "
                "codes to words; leave it out"
            )
        if not len(attended.codes):
            raise UserError(f"--sentence {text!r}: the method made no code of it; try another seed")
        (features,) = codec.decode([attended.codes])
        joints = features_to_joints(torch.from_numpy(features), skeleton).numpy()
        found.append(ReadSentence(text, attended, joints))
    return found
