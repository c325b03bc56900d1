"""All clips of a split as codes, and how often each code is used.

Shape letters: N clips, L tokens of a clip, M tokens of all clips, Q codebooks, K codes of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.progress import progress_bar

AT_ONCE = 256  # clips whose features are in memory


@dataclass(frozen=True)
class Tokens:
    """The tokens of all clips end to end.

    Attributes:
        clips: (N,) int64, indices into the store.
        codes: (M, Q) int64; -1 where a token lacks a code of a codebook.
        ends: (N,) int64, past the last token of each clip.
    """

    clips: np.ndarray
    codes: np.ndarray
    ends: np.ndarray

    @property
    def owners(self) -> np.ndarray:
        """(M,) int64, which of the N clips each token is of."""
        return np.repeat(np.arange(len(self.ends)), np.diff(self.ends, prepend=0))


@dataclass(frozen=True)
class Usage:
    """How often the codes of one codebook were used.

    Attributes:
        counts: (K,) int64.
    """

    counts: np.ndarray

    @property
    def perplexity(self) -> float:
        """exp of the entropy of the codes: K where all are used alike, 1 where one is alone."""
        share = self.counts[self.counts > 0] / max(self.counts.sum(), 1)
        return float(np.exp(-(share * np.log(share)).sum()))

    @property
    def dead(self) -> np.ndarray:
        """Codes that no token has, int64, ascending."""
        return np.flatnonzero(self.counts == 0)

    def covering(self, share: float) -> int:
        """The fewest codes that together are `share` of all tokens."""
        ordered = np.sort(self.counts)[::-1].cumsum()
        return int(np.searchsorted(ordered, share * ordered[-1])) + 1 if ordered[-1] else 0


def tokens_of(
    codec: TrainedTokenizer, store: MotionStore, split: str, most_clips: int | None = None
) -> Tokens:
    """Encode a split; clips that are shorter than one token are left out.

    Args:
        most_clips: of more, these many are taken, spread evenly over the split.

    Raises:
        UserError: no such split, or none of its clips has a token.
    """
    shortest = codec.frames_per_token
    clips = np.array([i for i in store.indices(split) if store.lengths[i] >= shortest], np.int64)
    if not len(clips):
        raise UserError(f"{store.name}: no clip of the split {split} has {shortest} frames")
    if most_clips is not None and most_clips < len(clips):
        clips = clips[np.linspace(0, len(clips) - 1, most_clips).astype(int)]
    found: list[np.ndarray] = []
    with progress_bar(total=len(clips), unit="clip", desc="encoding", disable=None) as bar:
        for first in range(0, len(clips), AT_ONCE):
            part = clips[first : first + AT_ONCE]
            found += codec.encode([store.features(int(index)) for index in part])
            bar.update(len(part))
    return joined(clips, found)


def joined(clips: np.ndarray, codes: Sequence[np.ndarray]) -> Tokens:
    """Put together the codes (L,) or (L, Q) of each clip."""
    rows = [clip.reshape(len(clip), -1) for clip in codes]
    return Tokens(clips, np.concatenate(rows), np.cumsum([len(clip) for clip in rows]))


def usage_of(tokens: Tokens, codebook: int, size: int) -> Usage:
    """How often each of the `size` codes of a codebook was used."""
    column = tokens.codes[:, codebook]
    return Usage(np.bincount(column[column >= 0], minlength=size))
