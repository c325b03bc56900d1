"""What single clips add to a score of the corpus, so that clips can be drawn anew cheaply.

BLEU is no mean over clips: it is computed from n-grams counted over all of them. Its counts can be
summed over any drawing of clips, though, and so can the clips' scores of which the others are
means. A bootstrap then is one product of matrices; `scipy.stats.bootstrap`, which calls a function
of the sentences for every drawing, would take days where this takes seconds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

ORDERS = 4  # n-grams of one to four words


@dataclass(frozen=True)
class ClipStatistics:
    """A score as a function of sums over clips.

    Attributes:
        values: (N clips, S) what each clip adds.
        score: (R drawings, S) sums over N clips each -> (R,) scores.
    """

    values: np.ndarray
    score: Callable[[np.ndarray], np.ndarray]

    @property
    def whole(self) -> float:
        """The score of all clips, each once."""
        return float(self.score(self.values.sum(axis=0, keepdims=True))[0])


def mean_statistics(per_clip: Sequence[float] | np.ndarray, unit: float = 1.0) -> ClipStatistics:
    """Of a score that is the mean over (N,) clips, times `unit`."""
    values = np.asarray(per_clip, dtype=np.float64)[:, None]
    clips = len(values)
    return ClipStatistics(values, lambda sums: unit * sums[:, 0] / clips)


def bleu_statistics(
    counts: np.ndarray, order: int, tiny: float = 0.0, small: float = 0.0
) -> ClipStatistics:
    """BLEU of the corpus (Papineni et al., ACL 2002, section 2.3) from counts by clip.

    Args:
        counts: (N, 2 * ORDERS + 2) n-grams of 1 to 4 words that match, those that there are, the
            words of the reference that counts, the words of the sentence.
        order: of the longest n-grams, 1 to 4.
        tiny, small: what a package adds above and below its fractions to keep off zeros.
    """

    def score(sums: np.ndarray) -> np.ndarray:
        matches, possible = sums[:, :order], sums[:, ORDERS : ORDERS + order]
        precisions = _ratio(matches + tiny, possible + small)
        lengths = _ratio(sums[:, -1] + tiny, sums[:, -2] + small)
        # Nothing written at all: the penalty's limit.
        penalty = np.exp(1 - _ratio(np.ones_like(lengths), lengths, otherwise=np.inf))
        return precisions.prod(axis=1) ** (1 / order) * np.minimum(penalty, 1)

    return ClipStatistics(np.asarray(counts, dtype=np.float64), score)


def _ratio(above: np.ndarray, below: np.ndarray, otherwise: float = 0.0) -> np.ndarray:
    result = np.full_like(below, otherwise)
    return np.divide(above, below, out=result, where=below > 0)
