"""The action labels of a captions file, and the words by which a caption names them."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from motiongpt.errors import UserError


class LabelWords(Mapping[str, tuple[str, ...]]):
    """Labels and how captions name them: as given, else by the label's own words."""

    def __init__(
        self, labels: Callable[[], Iterable[str]], given: Mapping[str, Sequence[str]]
    ) -> None:
        """Nothing is read yet.

        Args:
            labels: asked for the labels when they are first needed.
            given: label -> regular expressions; one may stand alone.

        Raises:
            UserError: one that is no regular expression.
        """
        self._labels = labels
        self._given = {
            str(label): (words,) if isinstance(words, str) else tuple(map(str, words))
            for label, words in given.items()
        }
        for label, words in self._given.items():
            for word in words:
                try:
                    re.compile(word)
                except re.error as error:
                    raise UserError(
                        f"data.source.action_words.{label}: {word!r} is no regular expression: "
                        f"{error}"
                    ) from error

    def __getitem__(self, label: str) -> tuple[str, ...]:
        return self._words[label]

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)

    @cached_property
    def _words(self) -> dict[str, tuple[str, ...]]:
        own = {label: (_own_words(label),) for label in self._labels()}
        return {**own, **self._given}


def _own_words(label: str) -> str:
    r"""A label as a regular expression: "sit-down" is found in "sit down", "run" not in "trunk"."""
    words = re.split(r"[\s_-]+", label.lower())
    return r"\b" + r"[\s_-]+".join(map(re.escape, words))
