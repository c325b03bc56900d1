"""Clips encoded as MotionGPT's released evaluation does: padded to the longest of their batch.

A6 of the audit: a captioner is shown the tokens of the padding too, and the last tokens of a clip
have seen it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.data.store import MotionStore
from motiongpt.methods.motiongpt.tasks.clip_tokens import WHOLE, ClipTokens, Codes
from motiongpt.methods.motiongpt.token_store import TokenStore
from motiongpt.methods.motiongpt.training.language_data import TokenisedClips

BATCH_SIZE = 32  # of MotionGPT's evaluation; decides how far a clip is padded


class PaddedClips(TokenisedClips):
    """Tokenised clips of which some were encoded with padding.

    Args:
        store, tokens: as of `TokenisedClips`.
        padded: index -> codes of a clip and its padding; the other clips stay as they are.
        shown: whether the codes of the padding itself are shown.
    """

    def __init__(
        self, store: MotionStore, tokens: TokenStore, padded: Mapping[int, Codes], shown: bool
    ) -> None:
        super().__init__(store, tokens)
        self.padded, self.shown = padded, shown

    def __getitem__(self, index: int) -> ClipTokens:
        """Clip `index` of the store."""
        clip = super().__getitem__(index)
        if index not in self.padded:
            return clip
        codes = self.padded[index]
        if not self.shown:
            codes = codes[: clip.tokens]
        return replace(clip, views={**clip.views, WHOLE: codes})


def encode_padded(
    tokenizer: TrainedTokenizer, store: MotionStore, indices: Sequence[int]
) -> dict[int, Codes]:
    """Codes of clips padded with the mean pose (that of the tokenizer: zeros when it has normalised
    them), in batches in the order of their lengths.

    That is the order in which MotionGPT's loader has them.
    """
    ordered = sorted(map(int, indices), key=lambda index: int(store.lengths[index]))
    found: dict[int, Codes] = {}
    for first in range(0, len(ordered), BATCH_SIZE):
        batch = ordered[first : first + BATCH_SIZE]
        longest = max(int(store.lengths[index]) for index in batch)
        rows = []
        for index in batch:
            features = store.features(index)
            padding = np.repeat(tokenizer.mean[None], longest - len(features), axis=0)
            rows.append(np.concatenate([features, padding]))
        found.update(zip(batch, tokenizer.encode(rows), strict=True))
    return found
