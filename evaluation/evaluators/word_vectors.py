"""Word vectors for the T2M text encoder: GloVe as T2M publishes it, or a plain GloVe text file.

Shapes: L tokens, D width of a vector (300 in what T2M publishes).
"""

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np

from evaluation.evaluators.parts_of_speech import CATEGORIES, OTHER, category
from motiongpt.arrays import read_array
from motiongpt.errors import UserError
from motiongpt.files import save_array, write_json
from motiongpt.reading import read_json_object

SAVED_VECTORS, SAVED_INDICES = "words.npy", "words.json"
VECTORS, WORDS, INDICES = "our_vab_data.npy", "our_vab_words.pkl", "our_vab_idx.pkl"
UNKNOWN = "unk"
START, END = "sos/OTHER", "eos/OTHER"
"""Tokens around every caption."""
HELP = (
    "unpack glove.zip there, which comes with T2M's evaluator (prepare/download_glove.sh of "
    "GuyTevet/motion-diffusion-model fetches it), or name a plain text GloVe file"
)


class WordVectors:
    """Vectors and categories of `word/TAG` tokens.

    Args:
        indices: word -> row of `vectors`; holds "unk", which stands for every word without one.
        vectors: (N, D).

    Raises:
        UserError: no "unk", a row that is not there, or NaN or infinity in one.
    """

    def __init__(self, indices: Mapping[str, int], vectors: np.ndarray) -> None:
        if vectors.ndim != 2 or not np.issubdtype(vectors.dtype, np.floating):
            raise UserError(
                f"word vectors: {vectors.dtype} of shape {vectors.shape}; expected (words, width) "
                "real numbers"
            )
        if not np.isfinite(vectors).all():
            row = int((~np.isfinite(vectors)).any(1).argmax())
            raise UserError(f"word vectors: row {row} holds NaN or infinity; get the file again")
        if UNKNOWN not in indices:
            raise UserError(f"word vectors: no vector for {UNKNOWN!r}, the word for unknown words")
        for word, index in indices.items():
            if type(index) is not int or not 0 <= index < len(vectors):
                raise UserError(
                    f"word vectors: {word!r} is row {index}; expected 0 to {len(vectors) - 1}"
                )
        self.indices, self.vectors = indices, vectors

    @property
    def width(self) -> int:
        """D."""
        return self.vectors.shape[1]

    @classmethod
    def open(cls, path: Path | str) -> "WordVectors":
        """Read T2M's folder of three files, or a text file of lines `word number number ...`.

        Pickles in the folder are read as plain lists, dictionaries, strings and whole numbers;
        one that asks for anything else is refused before it gets it, so none can run code.

        Raises:
            UserError: nothing there (says how to get it), or a file is damaged or not plain.
        """
        path = Path(path)
        find_vectors(path)
        if path.is_file():
            return cls(*_text_file(path))
        return cls(_published_indices(path), _array(path / VECTORS))

    def save(self, folder: Path) -> None:
        """Write `words.npy` and `words.json` into `folder`."""
        save_array(folder / SAVED_VECTORS, self.vectors)
        write_json(folder / SAVED_INDICES, dict(self.indices))

    @classmethod
    def load(cls, folder: Path) -> "WordVectors":
        """Read what `save` wrote.

        Raises:
            UserError: a file is missing or damaged.
        """
        try:
            indices = read_json_object(folder / SAVED_INDICES)
            vectors = read_array(folder / SAVED_VECTORS)
        except (OSError, ValueError) as error:
            raise UserError(
                f"{folder}: word vectors can't be read ({type(error).__name__}); delete the run "
                "folder and run the evaluator stage again"
            ) from error
        return cls(indices, vectors)

    def embed(self, tokens: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Vectors (L, D) and one-hot categories (L, 15), float32, of tokens like "man/NOUN".

        A word without a vector gets that of "unk" and the category OTHER, whatever its tag.

        Raises:
            UserError: a token without a tag.
        """
        rows, categories = [], []
        for token in tokens:
            word, slash, tag = token.rpartition("/")
            if not slash:
                raise UserError(f"token {token!r} has no part of speech; expected word/TAG")
            known = word in self.indices
            rows.append(self.indices[word if known else UNKNOWN])
            categories.append(category(word, tag) if known else CATEGORIES.index(OTHER))
        vectors = self.vectors[np.array(rows, np.int64)].astype(np.float32)
        return vectors, np.eye(len(CATEGORIES), dtype=np.float32)[np.array(categories, np.int64)]


def find_vectors(path: Path | str) -> None:
    """See that there is a text file, or T2M's three.

    Raises:
        UserError: nothing there; says how to get it.
    """
    path = Path(path)
    absent = [name for name in (VECTORS, WORDS, INDICES) if not (path / name).is_file()]
    if absent and not path.is_file():
        raise UserError(
            f"evaluator.word_vectors={path}: no word vectors here (no {', '.join(absent)}); {HELP}"
        )


class _PlainUnpickler(pickle.Unpickler):
    """Reads lists, dictionaries, strings and numbers; these need no name of a module, so every
    pickle that names one is refused."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def read_plain_pickle(path: Path) -> Any:
    """What a pickle of plain lists, dictionaries, strings and numbers holds; runs no code.

    Raises:
        UserError: it is damaged, or holds anything else.
    """
    stream: BinaryIO
    with path.open("rb") as stream:
        try:
            return _PlainUnpickler(stream).load()
        except pickle.UnpicklingError as error:
            reason = str(error).splitlines()[0] if str(error) else "damaged"
        except (EOFError, ArithmeticError, MemoryError, RecursionError, ValueError, TypeError,
                LookupError, AttributeError) as error:  # fmt: skip
            reason = f"damaged: {type(error).__name__}"
    raise UserError(
        f"{path}: not a pickle of plain lists, dictionaries, strings and numbers ({reason}); "
        "it was not loaded: get the file from its authors again"
    )


def _published_indices(folder: Path) -> dict[str, int]:
    words, indices = (read_plain_pickle(folder / name) for name in (WORDS, INDICES))
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise UserError(f"{folder / WORDS}: expected a list of words")
    if not isinstance(indices, dict) or not all(type(index) is int for index in indices.values()):
        raise UserError(f"{folder / INDICES}: expected a dictionary of words and row numbers")
    without = next((word for word in words if word not in indices), None)
    if without is not None:
        raise UserError(f"{folder / INDICES}: no row for {without!r}, which {WORDS} lists")
    return {word: indices[word] for word in words}


def _array(path: Path) -> np.ndarray:
    try:
        return read_array(path)
    except (ValueError, OSError) as error:
        raise UserError(f"{path}: not an array of numbers; get it again") from error


def _text_file(path: Path) -> tuple[dict[str, int], np.ndarray]:
    words: list[str] = []
    rows: list[np.ndarray] = []
    width = 0
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            parts = line.rstrip().split(" ")
            width = width or len(parts) - 1
            try:
                row = np.array(parts[len(parts) - width :], np.float32)
            except ValueError:
                row = np.empty(0, np.float32)
            # Some of the words of the larger GloVe files hold spaces.
            word = " ".join(parts[: len(parts) - width])
            if not word or not width or len(row) != width:
                raise UserError(
                    f"{path}: line {number}: expected a word and {width or 300} numbers"
                )
            words.append(word)
            rows.append(row)
    if not rows:
        raise UserError(f"{path}: empty; expected lines of a word and its numbers")
    return {word: index for index, word in enumerate(words)}, np.stack(rows)
