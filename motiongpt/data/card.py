"""The data card of a store: how near the clips that are tested on are to those that are trained on.

A test clip that has a twin in train, or whose caption stands there word for word, can be looked up;
how much of a score may be so is read off this card. Shape letters: N, M clips, K frames compared,
J joints, V words, D = K · J · 3.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import torch

from motiongpt.data.split_card import FRAMES, SplitCard, split_card
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.files import write_json
from motiongpt.motion.recover import features_to_joints
from motiongpt.progress import progress_bar
from motiongpt.reading import read_json_object

if TYPE_CHECKING:
    from scipy import sparse

CARD = "card.json"
FORMAT = 1  # of card.json
ROWS = 256  # clips or captions that are compared with all of train at once
QUANTILES = (10, 50, 90)
_WORD = re.compile(r"[^\W_]+")


def data_card(store: MotionStore, progress: bool = True) -> dict[str, SplitCard]:
    """Split -> its card, for val and test where they and train have clips.

    Made once a store: seconds for thousands of clips, minutes for HumanML3D; kept in `card.json`
    in its folder, if that can be written.

    Args:
        progress: show bars, on a terminal.
    """
    kept = _kept(store)
    if kept is not None:
        return kept
    found = _made(store, progress)
    try:
        content = {name: asdict(card) for name, card in found.items()}
        write_json(
            store.folder / CARD,
            {"format": FORMAT, "fingerprint": store.fingerprint, "splits": content},
        )
    except OSError as error:  # a store that others own, a full disk: it is made again next time
        print(f"{store.folder / CARD}: {error.strerror}; the data card is not kept", flush=True)
    return found


def _kept(store: MotionStore) -> dict[str, SplitCard] | None:
    try:
        found = read_json_object(store.folder / CARD)
        if (found.get("format"), found.get("fingerprint")) != (FORMAT, store.fingerprint):
            return None
        return {name: split_card(one) for name, one in found["splits"].items()}
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError, UserError):
        return None  # damaged: it is made again


def _made(store: MotionStore, progress: bool) -> dict[str, SplitCard]:
    splits = [name for name in ("val", "test") if len(store.indices(name))]
    train = store.indices("train")
    if not splits or not len(train):
        return {}
    poses = {name: _poses(store, name, progress) for name in ("train", *splits)}
    texts = {name: _texts(store, name) for name in ("train", *splits)}
    found = {}
    for name in splits:
        nearest, any_cm = _distances(poses[name], poses["train"], progress)
        known, overlap = _captions(texts[name], texts["train"], progress)
        low, middle, high = (float(one) for one in np.percentile(nearest, QUANTILES))
        found[name] = SplitCard(
            split=name,
            clips=len(nearest),
            train=len(train),
            nearest_cm=(low, middle, high),
            any_cm=any_cm,
            captions=len(texts[name]),
            known_percent=known,
            overlap_percent=overlap,
        )
    return found


def _poses(store: MotionStore, split: str, progress: bool) -> np.ndarray:
    """(N, D) float32 metres."""
    clips = store.indices(split)
    found = np.empty((len(clips), FRAMES * store.skeleton.n_joints * 3), np.float32)
    bar = progress_bar(
        clips, desc=f"card: {split}", unit="clip", disable=None if progress else True
    )
    for row, index in enumerate(bar):
        features = torch.from_numpy(store.features(int(index)))
        joints = features_to_joints(features, store.skeleton).numpy()
        at = np.linspace(0, len(joints) - 1, FRAMES)
        before = np.floor(at).astype(int)
        after = np.minimum(before + 1, len(joints) - 1)
        part = (at - before)[:, None, None].astype(np.float32)
        found[row] = ((1 - part) * joints[before] + part * joints[after]).ravel()
    return found


def _distances(these: np.ndarray, train: np.ndarray, progress: bool) -> tuple[np.ndarray, float]:
    """(N,) centimetres from each clip to the nearest of train, and the median to any."""
    mean = train.mean(axis=0, dtype=np.float64).astype(np.float32)
    these, train = these - mean, train - mean  # small numbers lose less in the products
    own = np.einsum("nd,nd->n", train, train)
    scale = 100.0 / np.sqrt(these.shape[1] / 3)
    nearest, medians = np.empty(len(these)), []
    starts = range(0, len(these), ROWS)
    for start in progress_bar(starts, desc="card: distances", disable=None if progress else True):
        some = these[start : start + ROWS]
        squares = np.einsum("nd,nd->n", some, some)[:, None] + own - 2 * some @ train.T
        best = train[squares.argmin(axis=1)]
        # Anew from the differences: the squares of near clips are small beside what they cancel.
        nearest[start : start + ROWS] = scale * np.linalg.norm(some - best, axis=1)
        medians.append(scale * np.median(np.sqrt(np.maximum(squares, 0)), axis=1))
    return nearest, float(np.median(np.concatenate(medians)))


def _texts(store: MotionStore, split: str) -> list[str]:
    """Captions as words in lower case, one space apart; those without a word are left out."""
    found = (
        " ".join(_WORD.findall(caption.text.lower()))
        for index in store.indices(split)
        for caption in store.captions(int(index))
    )
    return [text for text in found if text]


def _captions(
    these: Sequence[str], train: Sequence[str], progress: bool
) -> tuple[float | None, float | None]:
    """Percent of captions that stand in train, and the median overlap with the nearest there."""
    if not these or not train:
        return None, None
    among = sorted(set(train))
    known = set(among)
    unknown = sorted(set(these) - known)
    best = dict.fromkeys(known, 1.0)
    best.update(zip(unknown, _overlaps(unknown, among, progress), strict=True))
    shares = [best[text] for text in these]
    return 100 * float(np.mean([text in known for text in these])), 100 * float(np.median(shares))


def _overlaps(these: Sequence[str], train: Sequence[str], progress: bool) -> np.ndarray:
    """(N,) Jaccard index of each text's set of words with the nearest of `train`."""
    words = {word: column for column, word in enumerate(dict.fromkeys(" ".join(train).split()))}
    there, sizes = _word_sets(train, words)
    mine, own = _word_sets(these, words)
    best = np.zeros(len(these))
    starts = range(0, len(these), ROWS)
    for start in progress_bar(starts, desc="card: captions", disable=None if progress else True):
        rows = slice(start, start + ROWS)
        common = (mine[rows] @ there.T).toarray()
        best[rows] = (common / (own[rows, None] + sizes - common)).max(axis=1)
    return best


def _word_sets(
    texts: Sequence[str], words: dict[str, int]
) -> "tuple[sparse.csr_matrix, np.ndarray]":
    """(N, V) of 0 and 1, and how many words each text has, those that `words` lacks too."""
    from scipy import sparse  # where a card is made anew

    sets = [set(text.split()) for text in texts]
    columns = [[words[word] for word in one if word in words] for one in sets]
    rows = np.repeat(np.arange(len(sets)), [len(one) for one in columns])
    flat = np.fromiter((column for one in columns for column in one), dtype=np.int64)
    shape = (len(sets), len(words))
    matrix = sparse.csr_matrix((np.ones(len(flat), np.float32), (rows, flat)), shape=shape)
    return matrix, np.array([len(one) for one in sets], np.float32)
