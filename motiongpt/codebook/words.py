"""Which words of the captions go with a code: log odds ratios over clips.

A word goes with a code if clips that have the code have the word in a caption more often than clips
that lack it: the logarithm of the odds ratio of the two-by-two table of clips, each count with a
half added (Haldane 1940, Anscombe 1956), over its standard error, the root of the sum of the
counts' reciprocals (Woolf 1955).
Shape letters: N clips, K codes, W words.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from motiongpt.codebook.tokens import Tokens
from motiongpt.data.store import MotionStore
from motiongpt.data.word_stems import WORD, stem

FEWEST_CLIPS = 5
"""With both the code and the word: fewer say nothing."""
LEAST_SCORE = 4.0
"""Standard errors. Of half a million pairs of a code and a word some 16 pass by chance."""
MOST_WORDS = 8


@dataclass(frozen=True)
class WordOfCode:
    """A word that goes with a code.

    Attributes:
        word: its commonest form.
        clips: that have both.
        odds: natural logarithm of the odds ratio.
        score: the same in standard errors.
    """

    word: str
    clips: int
    odds: float
    score: float


@dataclass(frozen=True)
class CaptionWords:
    """The words of clips' captions, without their endings.

    Attributes:
        words: W, the commonest form of each.
        present: (N, W) float32, 1 where a caption of the clip has the word.
    """

    words: list[str]
    present: np.ndarray

    @classmethod
    def of(cls, store: MotionStore, clips: np.ndarray) -> "CaptionWords":
        """Words that at least `FEWEST_CLIPS` of the clips (N,) have."""
        forms: dict[str, Counter[str]] = {}
        found: list[set[str]] = []
        for index in clips:
            said = [
                word
                for caption in store.captions(int(index))
                for word in WORD.findall(caption.text.lower())
            ]
            found.append({stem(word) for word in said})
            for word in said:
                forms.setdefault(stem(word), Counter())[word] += 1
        often = Counter(one for clip in found for one in clip)
        kept = sorted(one for one, count in often.items() if count >= FEWEST_CLIPS)
        column = {one: i for i, one in enumerate(kept)}
        present = np.zeros((len(clips), len(kept)), np.float32)
        for row, clip in enumerate(found):
            present[row, [column[one] for one in clip if one in column]] = 1
        return cls([forms[one].most_common(1)[0][0] for one in kept], present)


def words_of_codes(
    tokens: Tokens, codebook: int, size: int, captions: CaptionWords
) -> list[list[WordOfCode]]:
    """For each of the `size` codes the words that go with it, highest score first."""
    if not captions.words:
        return [[] for _ in range(size)]
    has = np.zeros((len(tokens.clips), size), np.float32)
    column = tokens.codes[:, codebook]
    has[tokens.owners[column >= 0], column[column >= 0]] = 1
    both = has.T @ captions.present  # (K, W) clips
    of_code, of_word = has.sum(0)[:, None], captions.present.sum(0)[None]
    table = both, of_code - both, of_word - both, len(has) - of_code - of_word + both
    a, b, c, d = (count.astype(np.float64) + 0.5 for count in table)
    odds = np.log(a * d / (b * c))
    scores = odds / np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    scores = np.where((both >= FEWEST_CLIPS) & (scores >= LEAST_SCORE), scores, -np.inf)
    found = []
    for code, row in enumerate(scores):
        order = [i for i in np.argsort(-row, kind="stable")[:MOST_WORDS] if np.isfinite(row[i])]
        found.append(
            [
                WordOfCode(
                    captions.words[i], int(both[code, i]), float(odds[code, i]), float(row[i])
                )
                for i in order
            ]
        )
    return found
