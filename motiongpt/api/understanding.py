"""Whether a model can have learned what a sentence says, by the captions that it was trained on."""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from motiongpt.data.training_captions import TrainingCaptions
from motiongpt.data.word_stems import WORD, stem
from motiongpt.methods.lookup.words import CaptionIndex
from motiongpt.printable import printable

NEAREST = 3
# Cosine of TF-IDF vectors to the nearest training caption: of CMU's and HumanML3D's test captions
# fewer than 1 in 100 are below.
FAR = 0.3
# Words that say nothing of the motion: not to have seen one is no reason to warn.
_PLAIN = frozenset(
    (
        *("a", "an", "and", "as", "at", "the", "this", "that", "their", "them", "then", "there"),
        *("be", "been", "is", "are", "was", "were", "do", "does", "has", "have", "while", "or"),
        *("by", "for", "from", "in", "into", "of", "off", "on", "onto", "out", "over", "to", "up"),
        *("he", "her", "him", "his", "she", "it", "its", "they", "i", "me", "my", "we", "our"),
        *("you", "your", "who", "with", "no", "not", "so", "some", "somebody", "someone"),
    )
)


class FarFromTraining(UserWarning):
    """A sentence that the model can hardly have learned."""


class Understanding:
    """Tells sentences that are far from all training captions."""

    def __init__(self, trained: TrainingCaptions) -> None:
        self._trained = trained

    def doubt(self, text: str) -> str | None:
        """One line that names unknown words and the nearest captions; None for what is known."""
        known = self._trained.words
        words = dict.fromkeys(word for word in WORD.findall(text.lower()) if word not in _PLAIN)
        unknown = [word for word in words if stem(word) not in known and not word.isdecimal()]
        scores = self._index.similarities(text)
        far = not len(scores) or float(scores.max()) < FAR
        if not unknown and not far:
            return None
        said = f"{text!r} is far from all training captions"
        if unknown:
            many = "words" if len(unknown) > 1 else "word"
            said = f"{text!r}: no training caption has the {many} {', '.join(unknown)}"
        near = [self._trained.captions[i] for i in scores.argsort(kind="stable")[::-1][:NEAREST]]
        nearest = "; ".join(map(repr, near))
        return printable(f"{said}; the nearest are {nearest}" if near else said)

    def doubts(self, texts: Sequence[str]) -> list[str]:
        """The lines of all of `texts`, each once."""
        return [line for line in map(self.doubt, Counter(texts)) if line is not None]

    @cached_property
    def _index(self) -> CaptionIndex:
        return CaptionIndex.build(self._trained.captions)
