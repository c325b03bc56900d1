"""The words that a model was trained on, kept beside its weights: what it can't know is said.

A model that never saw a word makes some motion of the sentence all the same. The file holds the
words of all training captions and a sample of the captions, so that it stays small.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from motiongpt.data.store import MotionStore
from motiongpt.data.word_stems import stems
from motiongpt.errors import UserError
from motiongpt.files import write_json
from motiongpt.reading import read_json_object

FILE, FORMAT = "training_captions.json", 1
MOST_CAPTIONS = 2_000  # some 150 kB; nearest ones are found among them


@dataclass(frozen=True)
class TrainingCaptions:
    """What the file holds.

    Attributes:
        words: stems of all words of all training captions.
        captions: some of them, in the order of their hashes.
    """

    words: frozenset[str]
    captions: Sequence[str]


def write_training_captions(folder: Path, store: MotionStore, earlier: Path | None = None) -> None:
    """Write the file for a model that was trained on the training split of `store`.

    Args:
        earlier: folder of the weights that its training started from, which knew captions too.
    """
    before = None if earlier is None else read_training_captions([earlier])
    found = {
        caption.text.strip()
        for index in store.indices("train")
        for caption in store.captions(int(index))
    }
    write_json(
        folder / FILE,
        {
            "format": FORMAT,
            "words": sorted(
                {word for text in found for word in stems(text)}
                | (before.words if before else frozenset())
            ),
            "captions": sorted(found | set(before.captions if before else ()), key=_hash)[
                :MOST_CAPTIONS
            ],
        },
    )


def read_training_captions(folders: Iterable[Path]) -> TrainingCaptions | None:
    """What the first of `folders` that has the file says; None for models of earlier versions.

    Raises:
        UserError: a file that is none.
    """
    for folder in folders:
        path = folder / FILE
        if not path.is_file():
            continue
        try:
            held = read_json_object(path)
            if held["format"] != FORMAT:
                raise UserError(f"{path}: format {held['format']}; expected {FORMAT}")
            words, captions = (_texts(held[key]) for key in ("words", "captions"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path}: not a list of training captions: {error!r}") from error
        return TrainingCaptions(frozenset(words), captions)
    return None


def _texts(values: object) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError("expected a list of texts")
    return values


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()
