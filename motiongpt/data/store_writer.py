"""Writes the files of a motion store into a folder that is not yet in use."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from motiongpt.arrays import map_array
from motiongpt.data.checks import name_problems
from motiongpt.data.clip import SPLITS, BadClip, Clip
from motiongpt.data.growing_array import GrowingArray
from motiongpt.data.store import FORMAT_VERSION, MotionStore
from motiongpt.data.string_table import StringLists, StringTable
from motiongpt.files import save_array, write_json
from motiongpt.motion.skeleton import Skeleton


class StoreWriter:
    """Takes clips one by one; frames go to disk at once, words stay in memory until `finish`.

    Used as a context manager; after the block call `drop_bad_names`, then `finish`.
    """

    def __init__(self, folder: Path, skeleton: Skeleton) -> None:
        self.folder = folder
        self.skeleton = skeleton
        self.clips: list[Clip] = []
        self.rejected: list[BadClip] = []
        self._offsets: list[int] = []
        self._lengths: list[int] = []
        self._features = GrowingArray(folder / "features.npy", (skeleton.n_features,))

    def add(self, clip: Clip, features: np.ndarray) -> None:
        """Append a good clip: its words and features (T, F)."""
        self._offsets.append(self._features.rows)
        self._lengths.append(len(features))
        self._features.append(features)
        self.clips.append(Clip(clip.name, clip.split, clip.captions, labels=clip.labels))

    def reject(self, bad: BadClip) -> None:
        """Note a clip that is left out."""
        self.rejected.append(bad)

    def __enter__(self) -> "StoreWriter":
        self._features.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._features.__exit__(*exception)

    def drop_bad_names(self) -> None:
        """Leave out every clip whose name is in two splits or used twice.

        The second of a name is known too late to keep the first from the frames on disk; they stay
        there, with nothing that points to them.
        """
        problems = name_problems((clip.name, clip.split) for clip in self.clips)
        kept = [i for i, clip in enumerate(self.clips) if clip.name not in problems]
        for name, reason in problems.items():
            self.reject(BadClip(name, reason))
        self.clips = [self.clips[i] for i in kept]
        self._offsets = [self._offsets[i] for i in kept]
        self._lengths = [self._lengths[i] for i in kept]

    def count(self, split: str) -> int:
        """Good clips of `split`."""
        return sum(clip.split == split for clip in self.clips)

    def features(self, split: str) -> Iterator[np.ndarray]:
        """Features (T, F) of every clip of `split`, read back from disk."""
        frames = map_array(self.folder / "features.npy")
        for clip, offset, length in zip(self.clips, self._offsets, self._lengths, strict=True):
            if clip.split == split:
                yield frames[offset : offset + length]

    def finish(self, header: Mapping[str, object], mean: np.ndarray, std: np.ndarray) -> None:
        """Write everything but the frames, and the fingerprint last.

        Args:
            header: what store.json holds besides the counts, the rejected clips and fingerprint.
        """
        _write_words(self.folder, self.clips)
        splits = [SPLITS.index(clip.split) for clip in self.clips]
        save_array(self.folder / "offsets.npy", np.array(self._offsets, np.int64))
        save_array(self.folder / "lengths.npy", np.array(self._lengths, np.int64))
        save_array(self.folder / "splits.npy", np.array(splits, np.int8))
        save_array(self.folder / "mean.npy", mean.astype(np.float32))
        save_array(self.folder / "std.npy", std.astype(np.float32))
        content = {
            "format": FORMAT_VERSION,
            **header,
            "skeleton": self.skeleton.name,
            "counts": {split: self.count(split) for split in SPLITS},
            "rejected": [[bad.name, bad.reason] for bad in self.rejected],
        }
        unsigned = MotionStore(self.folder, {**content, "fingerprint": ""})
        fingerprint = unsigned.content_fingerprint()
        write_json(self.folder / "store.json", {**content, "fingerprint": fingerprint})


def _write_words(folder: Path, clips: Sequence[Clip]) -> None:
    StringTable.write(folder, "names", [clip.name for clip in clips])
    StringLists.write(folder, "labels", [clip.labels for clip in clips])
    captions = [clip.captions for clip in clips]
    StringLists.write(folder, "captions", [[c.text for c in of_clip] for of_clip in captions])
    StringLists.write(folder, "tokens", [[c.tokens for c in of_clip] for of_clip in captions])
