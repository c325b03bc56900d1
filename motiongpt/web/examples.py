"""Sentences to click, chosen from what a model was trained on."""

from collections.abc import Sequence

from motiongpt.data.word_stems import stems

MOST, LONGEST = 6, 70  # examples, and letters of one


def chosen_captions(captions: Sequence[str], most: int = MOST) -> tuple[str, ...]:
    """Short captions that have few words in common, each step the one with the most new words."""
    waiting = sorted(
        {one for one in captions if len(one) <= LONGEST}, key=lambda one: (len(one), one)
    )
    words = {one: frozenset(stems(one)) for one in waiting}
    known: frozenset[str] = frozenset()
    chosen: list[str] = []
    while waiting and len(chosen) < most:
        best = max(waiting, key=lambda one: len(words[one] - known) / (4 + len(words[one])))
        waiting.remove(best)
        chosen.append(best)
        known |= words[best]
    return tuple(chosen)
