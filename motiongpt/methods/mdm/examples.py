"""Training examples of MDM: a clip's features, a caption's, and noise for them.

Shapes: B batch, T frames, F features, L words, X numbers of a text's features.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset

from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.text_encoders.texts import Texts, batch_of

ONE_UNIT_LESS = 1 / 3
"""How often a clip that is cut to whole units loses one more, as in T2M's data set."""


@dataclass(frozen=True)
class Cutting:
    """How clips become examples.

    Attributes:
        frames: of the longest; longer clips are cut there, at a random place.
        unit: clips are cut to whole units of so many frames, and at times lose one more, as in
            T2M's data set (4); 1 keeps them whole.
        filled_up: whether each becomes `frames` long, with zeros that the network sees.

    Raises:
        UserError: a unit that is none.
    """

    frames: int
    unit: int = 1
    filled_up: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.unit <= self.frames:
            raise UserError(f"stage.mdm.unit={self.unit} frames; expected 1 to {self.frames}")

    def window(self, length: int, rng: np.random.Generator) -> tuple[int, int]:
        """First frame and number of frames of a clip of so many."""
        kept = min(length, self.frames) // self.unit * self.unit or length
        if self.unit > 1 and rng.random() < ONE_UNIT_LESS and kept > self.unit:
            kept -= self.unit
        return int(rng.integers(length - kept + 1)), kept


class MotionExample(NamedTuple):
    """One clip.

    Attributes:
        motion, noise: (T, F) float32, normalised features and standard normal numbers.
        frames: of the motion that are no padding.
        text: (L, X) float32 features of a caption.
        dropped: whether training hides the caption.
        step: of the diffusion.
    """

    motion: Tensor
    noise: Tensor
    frames: int
    text: Tensor
    dropped: bool
    step: int


class MotionBatch(NamedTuple):
    """B clips, zeros behind their ends.

    Attributes:
        motion, noise: (B, T, F) float32.
        lengths: (B,) int64 frames of each that are no padding.
        texts: of the captions.
        dropped: (B,) bool.
        steps: (B,) int64.
        counts: the lengths, known without asking the device.
    """

    motion: Tensor
    noise: Tensor
    lengths: Tensor
    texts: Texts
    dropped: Tensor
    steps: Tensor
    counts: tuple[int, ...]


class MotionExamples(Dataset[MotionExample]):
    """For each key (clip index, random seed) an example that depends on nothing else.

    Args:
        store: of the clips.
        texts: caption -> features (L, X).
        cutting: how clips are cut.
        drop_text: how often a caption is marked as hidden.
        steps: of the whole diffusion; each is as likely.

    Raises:
        UserError: a share that is none.
    """

    def __init__(
        self,
        store: MotionStore,
        texts: Mapping[str, Tensor],
        cutting: Cutting,
        drop_text: float,
        steps: int,
    ) -> None:
        check_share(drop_text)
        self.store, self.texts, self.cutting = store, texts, cutting
        self.drop_text, self.steps = drop_text, steps

    def __getitem__(self, key: tuple[int, int]) -> MotionExample:
        """The example of one key: one caption of the clip, its frames, and noise for them."""
        index, seed = key
        rng = np.random.default_rng(seed)
        captions = self.store.captions(index)
        text = self.texts[captions[rng.integers(len(captions))].text]
        dropped, step = rng.random() < self.drop_text, rng.integers(self.steps)
        first, frames = self.cutting.window(int(self.store.lengths[index]), rng)
        cut = (self.store.features(index, first, first + frames) - self.store.mean) / self.store.std
        motion = np.zeros((self.cutting.frames if self.cutting.filled_up else frames, cut.shape[1]))
        motion[:frames] = cut
        noise = rng.standard_normal(motion.shape, dtype=np.float32)
        return MotionExample(
            torch.from_numpy(motion).float(),
            torch.from_numpy(noise),
            frames,
            text,
            bool(dropped),
            int(step),
        )


def check_share(drop_text: float) -> None:
    """Refuse a share that is none.

    Raises:
        UserError: names it.
    """
    if not 0 <= drop_text <= 1:
        raise UserError(f"stage.mdm.drop_text={drop_text} must lie between 0 and 1")


def collate(examples: Sequence[MotionExample]) -> MotionBatch:
    """A batch of examples."""
    counts = tuple(one.frames for one in examples)
    return MotionBatch(
        pad_sequence([one.motion for one in examples], batch_first=True),
        pad_sequence([one.noise for one in examples], batch_first=True),
        torch.tensor(counts),
        batch_of([one.text for one in examples]),
        torch.tensor([one.dropped for one in examples]),
        torch.tensor([one.step for one in examples]),
        counts,
    )
