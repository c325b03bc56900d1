"""Clips as their tokens: the motion, what the codec makes of it, and which code stands where.

Shape letters: T frames, J joints, L tokens, Q codebooks.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.motion.recover import features_to_joints
from motiongpt.printable import printable

UNASKED = 3  # clips that a page shows where none is named


@dataclass(frozen=True)
class Timeline:
    """One clip.

    Attributes:
        name: of the clip.
        captions: what people wrote about it.
        codes: (L, Q) int64.
        real, decoded: (T, J, 3) metres of the clip, and of its codes (whole tokens only).
    """

    name: str
    captions: tuple[str, ...]
    codes: np.ndarray
    real: np.ndarray
    decoded: np.ndarray


def timelines_of(
    codec: TrainedTokenizer, store: MotionStore, names: Sequence[str], split: str
) -> list[Timeline]:
    """The timelines of the clips called `names`; of some of the split where there are none.

    Raises:
        UserError: no clip of that name, or one that is shorter than a token.
    """
    clips = clips_called(store, names) if names else _spread(store, split, codec.frames_per_token)
    motions = [store.features(clip) for clip in clips]
    for clip, motion in zip(clips, motions, strict=True):
        if len(motion) < codec.frames_per_token:
            raise UserError(
                f"--clip {printable(store.names[clip])}: {len(motion)} frames are less than one "
                f"token of {codec.frames_per_token}; name a longer one"
            )
    codes = codec.encode(motions)
    found = []
    for clip, motion, own, decoded in zip(clips, motions, codes, codec.decode(codes), strict=True):
        real, made = (
            features_to_joints(torch.from_numpy(one), store.skeleton).numpy()
            for one in (motion, decoded)
        )
        captions = tuple(caption.text for caption in store.captions(clip))
        found.append(Timeline(store.names[clip], captions, own.reshape(len(own), -1), real, made))
    return found


def clips_called(store: MotionStore, names: Sequence[str]) -> list[int]:
    """Indices of clips by name.

    Raises:
        UserError: no clip of that name; says which are called nearly so.
    """
    known = {str(store.names[index]): index for index in range(len(store))}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 3, cutoff=0.0)
            raise UserError(
                f"--clip {printable(name)}: {store.name} has no such clip; the nearest names are "
                f"{', '.join(map(printable, near))}"
            )
    return [known[name] for name in names]


def _spread(store: MotionStore, split: str, shortest: int) -> list[int]:
    """Some clips of the split that are long enough for a token, as far apart in it as can be."""
    clips = [int(i) for i in store.indices(split) if store.lengths[i] >= shortest]
    if not clips:
        return []
    chosen = np.linspace(0, len(clips) - 1, min(UNASKED, len(clips))).astype(int)
    return [clips[i] for i in dict.fromkeys(chosen.tolist())]
