"""What lookup copies from: the training split of a store, opened where it lies.

Clips are counted in the order of their names, so that the store's own order decides nothing.
Shape letters: N clips, C captions, T frames, F features, D channels that are compared.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from motiongpt.arrays import map_array
from motiongpt.data.statistics import channel_groups, weighted_std
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.files import read_json, save_array, write_json
from motiongpt.methods.lookup.words import CaptionIndex

HEADER = "lookup.json"
FORMAT = 1
SPLIT = "train"
CHUNK_FRAMES = 65536  # 66 MiB of HumanML3D's features
_MEND = "run the stage lookup anew"


@dataclass(frozen=True)
class Chunk:
    """Some clips, one after the other in memory.

    Attributes:
        first: position of the first clip.
        starts: (n,) row of each clip's first frame.
        lengths: (n,) frames.
        features: (T, F) float32 of all of them, in their own units.
        normalised: (T, D) float32.
    """

    first: int
    starts: np.ndarray
    lengths: np.ndarray
    features: np.ndarray
    normalised: np.ndarray


class Memory:
    """The training clips and what is known about their captions.

    Args:
        store: that they lie in.
        clips: (N,) indices into the store, in the order of the clips' names.
        caption_clips: (C,) position of each caption's clip, ascending.
        index: of the captions' words.

    Attributes:
        lengths: (N,) frames.
        channels: (D,) int64 that are compared: all but the rotations, which say of a pose what
            the positions say already.
        mean, std: (D,) float32 of these. The std is the plain one, whatever weights the store's
            normalisation puts on its channels.
        captioned_clips: positions of the clips that have captions, ascending.
        first_captions: number of the first caption of each of these.
    """

    def __init__(
        self,
        store: MotionStore,
        clips: np.ndarray,
        caption_clips: np.ndarray,
        index: CaptionIndex,
    ) -> None:
        self.store, self.clips, self.index = store, clips, index
        self.caption_clips = caption_clips
        self.lengths = np.asarray(store.lengths)[clips]
        *before, _, velocities, contacts = channel_groups(store.skeleton)
        every = np.arange(store.n_features)
        self.channels = np.concatenate([every[g] for g in (*before, velocities, contacts)])
        weights = weighted_std(np.ones(store.n_features), store.skeleton, store.normalisation)
        self.mean = store.mean[self.channels]
        self.std = (store.std / weights).astype(np.float32)[self.channels]
        self._positions = {store.names[int(clip)]: at for at, clip in enumerate(clips)}
        self.captioned_clips, self.first_captions = np.unique(caption_clips, return_index=True)

    @classmethod
    def build(cls, store: MotionStore) -> "Memory":
        """The memory of a store's training split.

        Raises:
            UserError: the split has no clips.
        """
        clips = np.array(sorted(store.indices(SPLIT), key=lambda i: store.names[int(i)]), np.int64)
        if not len(clips):
            raise UserError(f"the {SPLIT} split of {store.name} is empty: lookup knows nothing")
        texts, owners = [], []
        for position, clip in enumerate(clips):
            for caption in store.captions(int(clip)):
                texts.append(caption.text)
                owners.append(position)
        return cls(store, clips, np.array(owners, np.int64), CaptionIndex.build(texts))

    def save(self, folder: Path) -> None:
        """Write `lookup.json` and small arrays into `folder`; the clips stay in the store."""
        folder.mkdir(parents=True, exist_ok=True)
        save_array(folder / "clips.npy", self.clips)
        save_array(folder / "caption_clips.npy", self.caption_clips)
        self.index.save(folder)
        header = {
            "format": FORMAT,
            "method": "lookup",
            "store": str(self.store.folder.resolve()),
            "fingerprint": self.store.fingerprint,
            "split": SPLIT,
            "clips": len(self.clips),
            "captions": len(self.index),
        }
        write_json(folder / HEADER, header)

    @classmethod
    def open(cls, folder: Path) -> "Memory":
        """Open what `save` wrote, and the store that it names.

        Raises:
            UserError: nothing was saved here, it is damaged, or the store is absent or another.
        """
        header = _read_header(folder)
        where = Path(header["store"])
        if not where.is_dir():
            raise UserError(
                f"{folder}: copies from the store {where}, which is gone; open it where that path "
                f"leads to the store, or {_MEND}"
            )
        store = MotionStore.open(where)
        if store.fingerprint != header["fingerprint"]:
            raise UserError(
                f"{folder}: copies from the store {where} of fingerprint "
                f"{header['fingerprint'][:12]}, which is {store.fingerprint[:12]} now; {_MEND}"
            )
        try:
            clips = map_array(folder / "clips.npy")
            owners = map_array(folder / "caption_clips.npy")
            index = CaptionIndex.open(folder)
            if len(clips) != header["clips"]:
                raise ValueError(f"{len(clips)} clips of {header['clips']}")
            if len(owners) != len(index):
                raise ValueError(f"{len(index)} captions of {len(owners)} clips")
            return cls(store, clips, owners, index)
        except (OSError, ValueError, IndexError, EOFError) as error:
            reason = " ".join(str(error).split())
            raise UserError(f"{folder} is damaged ({reason}); {_MEND}") from error

    def __len__(self) -> int:
        return len(self.clips)

    def position(self, name: str) -> int:
        """Position of the clip of this name; -1 where the training split has none."""
        return self._positions.get(name, -1)

    def features(self, position: int, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Features (T, F) float32 of a clip, in their own units; see `MotionStore.features`."""
        return self.store.features(int(self.clips[position]), start, stop)

    def caption(self, position: int) -> str:
        """A clip's first caption."""
        return self.store.captions(int(self.clips[position]))[0].text

    def longest_but(self, position: int) -> int:
        """Frames of the longest clip besides one; 0 where there is no other."""
        others = np.delete(self.lengths, position) if position >= 0 else self.lengths
        return int(others.max(initial=0))

    def normalise(self, features: np.ndarray) -> np.ndarray:
        """Rows (T, F) to (T, D) float32: how many standard deviations from the mean they are."""
        rows = np.take(features, self.channels, axis=1).astype(np.float32, copy=False)
        rows -= self.mean
        rows /= self.std
        return rows

    def chunks(self, frames: int = CHUNK_FRAMES) -> Iterator[Chunk]:
        """All clips in chunks of about so many frames; the same ones whoever asks."""
        first = 0
        while first < len(self):
            reach = np.cumsum(self.lengths[first:])
            count = max(1, int(np.searchsorted(reach, frames, side="right")))
            rows = np.concatenate([self.features(first + i) for i in range(count)])
            lengths = self.lengths[first : first + count]
            yield Chunk(first, reach[:count] - lengths, lengths, rows, self.normalise(rows))
            first += count


def _read_header(folder: Path) -> dict[str, Any]:
    header = read_json(folder / HEADER, None)
    if header is None:
        raise UserError(f"{folder} has no {HEADER}; open a folder that the stage lookup left")
    known = isinstance(header, dict) and {"format", "store", "fingerprint", "clips"} <= set(header)
    if not known or header["format"] != FORMAT or not isinstance(header["store"], str):
        raise UserError(f"{folder / HEADER} is not of format {FORMAT}; {_MEND}")
    return header
