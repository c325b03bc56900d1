"""Whether a sentence names the actions of a clip: by the words its data set gives for each."""

import re
from collections.abc import Mapping, Sequence


def named_actions(text: str, action_words: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Labels of which a pattern is found in `text`, whatever its case."""
    lower = text.lower()
    return frozenset(
        label
        for label, patterns in action_words.items()
        if any(re.search(pattern, lower) for pattern in patterns)
    )


def names_actions(
    text: str, labels: Sequence[str], action_words: Mapping[str, Sequence[str]]
) -> bool:
    """Whether `text` names every action of `labels` and no other."""
    return named_actions(text, action_words) == frozenset(labels)
