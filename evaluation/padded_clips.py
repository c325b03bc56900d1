"""Clips encoded as MotionGPT's released evaluation does: padded to the longest of their batch.

A6 of the audit: the padding becomes motion tokens that the model is shown. Given parts are cut out
of the tokens of the whole clip at test time as its code does where `placeholders` are released.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from motiongpt.tasks.base import WHOLE, ClipTokens, Codes
from motiongpt.tokenizers.trained import TrainedTokenizer
from motiongpt.training.language_data import TokenisedClips

BATCH_SIZE = 32  # of MotionGPT's evaluation; decides how far a clip is padded


class PaddedClips(TokenisedClips):
    """Tokenised clips of which some show the tokens of their padding too."""

    _padded: dict[int, Codes]

    def encode_with(self, tokenizer: TrainedTokenizer, indices: Sequence[int]) -> None:
        """Encode clips anew, in batches in the order of their lengths, as MotionGPT's loader sorts
        them; the mean pose is the padding."""
        self._padded = {}
        ordered = sorted(map(int, indices), key=lambda index: int(self.store.lengths[index]))
        for first in range(0, len(ordered), BATCH_SIZE):
            batch = ordered[first : first + BATCH_SIZE]
            longest = max(int(self.store.lengths[index]) for index in batch)
            rows = []
            for index in batch:
                features = self.store.features(index)
                padding = np.repeat(self.store.mean[None], longest - len(features), axis=0)
                rows.append(np.concatenate([features, padding]))
            self._padded.update(zip(batch, tokenizer.encode(rows), strict=True))

    def __getitem__(self, index: int) -> ClipTokens:
        """Clip `index` of the store, with the codes of its padding where there are any."""
        clip = super().__getitem__(index)
        if index not in self._padded:
            return clip
        return replace(clip, views={**clip.views, WHOLE: self._padded[index]})
