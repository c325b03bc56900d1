"""Frames of several motion stores as those of one, without a copy.

Shape letters: T frames, F features.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from motiongpt.arrays import map_array
from motiongpt.reading import read_json_object

MEMBERS = "members"
"""Key in store.json: of each member its name, folder and fingerprint, in their order."""
FRAMES = "features.npy"


class JoinedFrames:
    """Memory-mapped arrays (T, F) end to end; a slice is of one of them."""

    def __init__(self, arrays: Sequence[np.ndarray]) -> None:
        """Join `arrays`, all of the same F and type.

        Raises:
            ValueError: they are not.
        """
        kinds = {(array.shape[1:], array.dtype) for array in arrays}
        if len(kinds) != 1:
            raise ValueError(f"frames of {len(kinds)} kinds, expected one")
        self._arrays = arrays
        self._starts = np.cumsum([0, *map(len, arrays)])
        self.dtype = arrays[0].dtype
        self.shape = (int(self._starts[-1]), *arrays[0].shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> np.ndarray:
        """Frames of a slice without steps, which ends where it does in the array it begins in."""
        member = int(np.searchsorted(self._starts, rows.start, "right")) - 1
        if member >= len(self._arrays):  # nothing, behind the last
            return self._arrays[-1][:0]
        start = int(self._starts[member])
        return self._arrays[member][rows.start - start : rows.stop - start]


def frames_of(folder: Path, header: Mapping[str, Any]) -> np.ndarray | JoinedFrames:
    """The frames of the store in `folder`: its own, or those of the members that its header names.

    Raises:
        OSError: a file is not there.
        ValueError: a member is not the store it was when they were joined.
    """
    if MEMBERS not in header:
        return map_array(folder / FRAMES)
    return JoinedFrames([_member_frames(folder, member) for member in header[MEMBERS]])


def _member_frames(folder: Path, member: Mapping[str, Any]) -> np.ndarray:
    there = folder / str(member["folder"])
    found = read_json_object(there / "store.json").get("fingerprint")
    if found != member["fingerprint"]:
        raise ValueError(f"its member {there} is another store than the one that was joined")
    return map_array(there / FRAMES)
