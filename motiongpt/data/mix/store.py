"""The store of a mix: the words of its members' clips, and the way to their frames.

Shape letters: N clips, F features.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from motiongpt.data.clip import SPLITS
from motiongpt.data.joined_frames import MEMBERS
from motiongpt.data.replace_folder import replacing_folder
from motiongpt.data.statistics import joint_mean_and_std, weighted_std
from motiongpt.data.store import FORMAT_VERSION, WEIGHTS, MotionStore
from motiongpt.data.string_table import StringLists, StringTable
from motiongpt.errors import UserError
from motiongpt.files import save_array, write_json

BETWEEN = "--"  # of a member's name and a clip's


def build_mix(
    members: Mapping[str, MotionStore],
    weights: Mapping[str, float],
    folder: Path,
    *,
    name: str,
    normalisation: str = "humanml3d",
) -> MotionStore:
    """Write the store of a mix to `folder`, all of it or nothing; the members stay as they are.

    A clip is called "MEMBER--CLIP". Its mean and std are those of the frames that training sees: of
    each member's training split in the share that its weight and its number of clips give it.

    Args:
        members: stores beside `folder`, by name.
        weights: how often a training clip of each is drawn, beside those of the others.
        normalisation: as of `build_store`.

    Raises:
        UserError: members of several skeletons or frame rates, or an unknown normalisation.
    """
    first = next(iter(members.values()))
    for member, store in members.items():
        if (store.skeleton.name, store.fps) != (first.skeleton.name, first.fps):
            raise UserError(
                f"data {name}: {member} has skeleton {store.skeleton.name} at {store.fps:g} fps, "
                f"the others {first.skeleton.name} at {first.fps:g}; one model reads one kind"
            )
    with replacing_folder(folder) as building:
        _write(building, members, weights)
        shares = {one: weights[one] * len(members[one].indices("train")) for one in members}
        mean, std = joint_mean_and_std(
            [(partial(_training_frames, store), shares[one]) for one, store in members.items()],
            first.skeleton,
        )
        save_array(building / "mean.npy", mean)
        save_array(building / "std.npy", weighted_std(std, first.skeleton, normalisation))
        header = _header(building, members, weights, name, normalisation)
        unsigned = MotionStore(building, {**header, "fingerprint": ""})
        fingerprint = unsigned.content_fingerprint()
        write_json(building / "store.json", {**header, "fingerprint": fingerprint})
    return MotionStore.open(folder)


def _write(folder: Path, members: Mapping[str, MotionStore], weights: Mapping[str, float]) -> None:
    """All arrays but the statistics."""
    clips = [(store, index) for store in members.values() for index in range(len(store))]
    names = [
        f"{member}{BETWEEN}{clip}" for member, store in members.items() for clip in store.names
    ]
    StringTable.write(folder, "names", names)
    StringLists.write(folder, "labels", [store.labels(index) for store, index in clips])
    captions = [store.captions(index) for store, index in clips]
    StringLists.write(folder, "captions", [[one.text for one in of_clip] for of_clip in captions])
    StringLists.write(folder, "tokens", [[one.tokens for one in of_clip] for of_clip in captions])
    before, offsets = 0, []
    for store in members.values():
        offsets.append(store.offsets + before)
        before += store.rows
    save_array(folder / "offsets.npy", np.concatenate(offsets))
    for name in ("lengths", "splits"):
        arrays = [getattr(store, name) for store in members.values()]
        save_array(folder / f"{name}.npy", np.concatenate(arrays))
    of_clips = [np.full(len(store), weights[one], np.float64) for one, store in members.items()]
    save_array(folder / WEIGHTS, np.concatenate(of_clips))


def _header(
    building: Path,
    members: Mapping[str, MotionStore],
    weights: Mapping[str, float],
    name: str,
    normalisation: str,
) -> dict[str, object]:
    stores = list(members.values())
    parts = [f"{one}: {store.shortfall}" for one, store in members.items() if store.shortfall]
    return {
        "format": FORMAT_VERSION,
        "name": name,
        "fps": stores[0].fps,
        "normalisation": normalisation,
        "description": " + ".join(f"{weights[one]:g} x {one}" for one in members),
        "shortfall": "; ".join(parts),
        "action_words": {
            label: list(words) for store in stores for label, words in store.action_words.items()
        },
        "skeleton": stores[0].skeleton.name,
        "counts": {split: sum(store.counts()[split] for store in stores) for split in SPLITS},
        "rejected": [],
        MEMBERS: [
            {
                "name": one,
                "folder": f"../{store.folder.name}",
                "fingerprint": store.fingerprint,
                "weight": weights[one],
            }
            for one, store in members.items()
        ],
    }


def _training_frames(store: MotionStore) -> Iterator[np.ndarray]:
    """Features (T, F) of every training clip."""
    return (store.features(int(index)) for index in store.indices("train"))
