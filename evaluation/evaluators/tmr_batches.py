"""What one training step of TMR sees: clips, a caption of each, and the clips perturbed.

Shape letters: B clips, T frames, F features.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from evaluation.evaluators.hard_negatives import NEARLY, HardNegatives, Kind, Perturbed, shuffled
from evaluation.evaluators.tmr_captions import CaptionReader
from evaluation.evaluators.training_clips import TrainingClips


@dataclass(frozen=True)
class Batch:
    """B clips with a caption each; `perturbed` are the same clips, `wrong` in which way.

    `shuffled` are the same clips for the order head, `differs` where they are not nearly the clip.
    """

    motions: list[Tensor]
    captions: list[str]
    perturbed: list[Tensor]
    wrong: list[Kind | None]
    shuffled: list[Tensor]
    differs: list[bool]


class Batches:
    """Draws batches, endlessly.

    Args:
        clips: each with one caption or several, of which one is drawn each time.
        reader: of the captions.
        negatives: what perturbs clips.
        batch_size: clips at a time.
        seed: of all that is drawn.
        order: whether there is an order head that learns of shuffled clips.
    """

    def __init__(
        self,
        clips: TrainingClips,
        reader: CaptionReader,
        negatives: HardNegatives,
        batch_size: int,
        seed: int,
        order: bool = False,
    ) -> None:
        self.clips, self.reader, self.negatives = clips, reader, negatives
        self.order = order
        self.draw = np.random.default_rng(seed)
        self.positions = clips.batches(batch_size, self.draw)
        self.captions = [
            [caption.text for caption in clips.store.captions(int(index))]
            for index in clips.indices
        ]

    def next(self, hard: bool) -> Batch:
        """The next one, with perturbed clips or without."""
        found = Batch([], [], [], [], [], [])
        for position in next(self.positions).tolist():
            said = self.captions[position]
            found.captions.append(said[self.draw.integers(len(said))])
            clip = self.clips.crop(position, self.draw)
            found.motions.append(torch.from_numpy(clip))
            if hard and self.negatives.kinds:
                made = self._perturbed(clip, found.captions[-1])
                found.perturbed.append(torch.from_numpy(made.clip))
                found.wrong.append(made.wrong)
            if self.order:
                out_of_order = shuffled(clip, self.draw)
                found.shuffled.append(torch.from_numpy(out_of_order))
                found.differs.append(bool(np.abs(out_of_order - clip).mean() > NEARLY))
        return found

    def _perturbed(self, clip: np.ndarray, caption: str) -> Perturbed:
        """Of a normalised clip, normalised."""
        store = self.clips.store
        made = self.negatives.draw(clip * store.std + store.mean, caption, self.draw)
        return made._replace(clip=(made.clip - store.mean) / store.std)
