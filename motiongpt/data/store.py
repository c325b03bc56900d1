"""The motion store: every clip of a data set, memory-mapped, ready for training.

A folder with features.npy (all frames end to end), offsets, lengths, splits,
string tables of names, captions, their tokens and labels, mean.npy, std.npy and store.json.
Opening maps the arrays and reads store.json only, so it takes no time whatever the size.
The store of a mix has the words of its members, and their folders' frames.
Shape letters: N clips, T frames, F features.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from motiongpt.arrays import map_array, read_array
from motiongpt.data.clip import SPLITS, BadClip, Caption
from motiongpt.data.fingerprint import Fingerprint
from motiongpt.data.joined_frames import MEMBERS, frames_of
from motiongpt.data.string_table import StringLists, StringTable
from motiongpt.errors import UserError
from motiongpt.motion.resample import checked_fps
from motiongpt.motion.skeleton import Skeleton, skeleton_by_name
from motiongpt.reading import read_json_object

FORMAT_VERSION = 1
WEIGHTS = "weights.npy"


class MotionStore:
    """A store opened for reading; `build_store` makes one.

    Attributes:
        name: of the data set.
        fps: frames per second.
        skeleton: of the features.
        fingerprint: SHA-256 of the content.
        lengths: (N,) int64 frames.
        splits: (N,) int8 indices into `SPLITS`.
        names: N names.
        mean: (F,) float32, of the train split or as published.
        std: (F,) float32, what features are divided by.
        weights: (N,) float64, how often training draws a clip, beside others; None where all are
            drawn alike, as in every store of one source.
        action_words: label -> regular expressions that name the action in a caption.
        rejected: clips that were left out, with reasons.
        description: where the clips came from, in one line.
        shortfall: how it is only a part of its data set, in one line; empty where it is whole.
    """

    def __init__(self, folder: Path, header: Mapping[str, Any]) -> None:
        """Use `MotionStore.open`, which checks the folder first."""
        self.folder = Path(folder)
        self.name: str = _text(header, "name")
        self.fps: float = checked_fps(header["fps"])
        self.skeleton: Skeleton = skeleton_by_name(header["skeleton"])
        self.fingerprint: str = _text(header, "fingerprint")
        self.description: str = _text(header, "description")
        self.normalisation: str = _text(header, "normalisation")
        self.shortfall: str = _text(header, "shortfall") if "shortfall" in header else ""
        self.action_words: dict[str, tuple[str, ...]] = {
            label: tuple(words) for label, words in header["action_words"].items()
        }
        self.rejected = tuple(BadClip(name, reason) for name, reason in header["rejected"])
        self._features = frames_of(self.folder, header)
        self._offsets = map_array(self.folder / "offsets.npy")
        self.lengths = map_array(self.folder / "lengths.npy")
        self.splits = map_array(self.folder / "splits.npy")
        self.names = StringTable.open(self.folder, "names")
        self._captions = StringLists.open(self.folder, "captions")
        self._tokens = StringLists.open(self.folder, "tokens")
        self._labels = StringLists.open(self.folder, "labels")
        self.mean = read_array(self.folder / "mean.npy")
        self.std = read_array(self.folder / "std.npy")
        self.weights: np.ndarray | None = (
            read_array(self.folder / WEIGHTS) if MEMBERS in header else None
        )
        self._check_shapes()

    @classmethod
    def open(cls, folder: Path | str) -> "MotionStore":
        """Open the store in `folder`.

        Raises:
            UserError: there is none, or it is broken or of another format version.
        """
        folder = Path(folder)
        header = _read_header(folder)
        try:
            return cls(folder, header)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, UserError) as error:
            raise UserError(
                f"the motion store {folder} is broken ({' '.join(str(error).split())}); {_MEND}"
            ) from error

    def __len__(self) -> int:
        return len(self.lengths)

    def __reduce__(self) -> tuple[Any, ...]:
        # a pickled memory map carries all its data; worker processes open the folder anew
        return _opened, (self.folder, self.mean, self.std)

    def normalised_by(self, mean: np.ndarray, std: np.ndarray) -> "MotionStore":
        """The same clips with other statistics (F,), those that trained weights know.

        Raises:
            UserError: they are of features of another width.
        """
        if mean.shape != (self.n_features,) or std.shape != (self.n_features,):
            raise UserError(
                f"store {self.name} has {self.n_features} features a frame, the statistics are of "
                f"{mean.size}; take weights of the same skeleton"
            )
        found = MotionStore.open(self.folder)
        found.mean, found.std = mean, std
        return found

    @property
    def n_features(self) -> int:
        """F."""
        return self.skeleton.n_features

    @property
    def offsets(self) -> np.ndarray:
        """(N,) int64, the row in which each clip begins among all frames of the folder."""
        return self._offsets

    @property
    def rows(self) -> int:
        """Frames in the folder, those of clips that were dropped too."""
        return len(self._features)

    def features(self, index: int, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Features of clip `index`, (T, F) float32, not normalised; a copy.

        Args:
            start: first frame to read; as in a slice.
            stop: frame to stop before; the clip's end if not given.
        """
        return np.array(self._features[self._frames(index)][start:stop])

    def captions(self, index: int) -> tuple[Caption, ...]:
        """Captions of clip `index`; some clips have none, see `without_captions`."""
        pairs = zip(self._captions[index], self._tokens[index], strict=True)
        return tuple(Caption(text, tokens) for text, tokens in pairs)

    def without_captions(self, clips: np.ndarray) -> np.ndarray:
        """Those of `clips` (indices, int64) that have no caption."""
        return clips[self._captions.counts[clips] == 0]

    def labels(self, index: int) -> tuple[str, ...]:
        """Action labels of clip `index`, in order of time."""
        return self._labels[index]

    def indices(self, split: str) -> np.ndarray:
        """Indices of the clips of `split`, int64, ascending.

        Raises:
            UserError: no such split.
        """
        if split not in SPLITS:
            raise UserError(f"unknown split {split!r}; choose one of: {', '.join(SPLITS)}")
        return np.flatnonzero(self.splits == SPLITS.index(split)).astype(np.int64)

    def counts(self) -> dict[str, int]:
        """Clips per split."""
        return {split: len(self.indices(split)) for split in SPLITS}

    def content_fingerprint(self) -> str:
        """The fingerprint of the content; differs from `fingerprint` where files changed."""
        found = Fingerprint()
        found.settings(
            "settings",
            {
                "fps": self.fps,
                "skeleton": self.skeleton.name,
                "action_words": self.action_words,
            },
        )
        found.array("lengths", self.lengths)
        found.array("splits", self.splits)
        found.strings("names", self.names)
        found.string_lists("captions", self._captions)
        found.string_lists("tokens", self._tokens)
        found.string_lists("labels", self._labels)
        found.array("mean", self.mean)
        found.array("std", self.std)
        if self.weights is not None:
            found.array("weights", self.weights)
        for index in range(len(self)):
            found.array("features", self._features[self._frames(index)])
        return found.hexdigest()

    def _frames(self, index: int) -> slice:
        if not -len(self) <= index < len(self):
            raise IndexError(f"clip {index} of {len(self)}")
        start = int(self._offsets[index])
        return slice(start, start + int(self.lengths[index]))

    def _check_shapes(self) -> None:
        """Everything but the numbers in features.npy, which are too many to look at here."""
        n, f = len(self.lengths), self.skeleton.n_features
        frames = len(self._features)
        expected = {
            "features": (self._features, (frames, f), np.float32),
            "offsets": (self._offsets, (n,), np.int64),
            "lengths": (self.lengths, (n,), np.int64),
            "splits": (self.splits, (n,), np.int8),
            "mean": (self.mean, (f,), np.float32),
            "std": (self.std, (f,), np.float32),
        }
        if self.weights is not None:
            expected["weights"] = (self.weights, (n,), np.float64)
        for name, (array, shape, dtype) in expected.items():
            if array.shape != shape or array.dtype != dtype:
                raise ValueError(
                    f"{name}.npy has {array.dtype} of shape {array.shape}, expected "
                    f"{np.dtype(dtype)} of {shape}"
                )
        for name, strings in (
            ("names", self.names),
            ("captions", self._captions),
            ("tokens", self._tokens),
            ("labels", self._labels),
        ):
            if len(strings) != n:
                raise ValueError(f"{len(strings)} {name} for {n} clips")
        starts, lengths = self._offsets, self.lengths
        if n and not ((starts >= 0) & (lengths >= 0) & (lengths <= frames - starts)).all():
            raise ValueError(f"clips reach past the {frames} frames of features.npy")
        if n and not 0 <= self.splits.min() <= self.splits.max() < len(SPLITS):
            raise ValueError("splits.npy has a split that is none")
        if self.weights is not None and not (
            np.isfinite(self.weights).all() and (self.weights > 0).all()
        ):
            raise ValueError(f"{WEIGHTS} has a weight that is not above zero")
        if not (np.isfinite(self.mean).all() and np.isfinite(self.std).all() and self.std.all()):
            raise ValueError("mean.npy or std.npy has NaN, infinity, or a std of 0")


_MEND = "make it anew with `motiongpt data prepare data=NAME`"


def _text(header: Mapping[str, Any], key: str) -> str:
    value = header[key]
    if not isinstance(value, str):
        raise ValueError(f"{key} in store.json is {value!r}, expected text")
    return value


def _opened(folder: Path, mean: np.ndarray, std: np.ndarray) -> MotionStore:
    return MotionStore.open(folder).normalised_by(mean, std)


def _read_header(folder: Path) -> dict[str, Any]:
    path = folder / "store.json"
    try:
        header = read_json_object(path)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"no motion store in {folder}; {_MEND}") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} can't be read ({error}); {_MEND}") from error
    version = header.get("format")
    if version != FORMAT_VERSION:
        raise UserError(f"{path} has store format {version}, expected {FORMAT_VERSION}; {_MEND}")
    return header
