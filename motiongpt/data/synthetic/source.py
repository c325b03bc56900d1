"""The generator as a motion source."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from motiongpt.data.ahead import in_order
from motiongpt.data.clip import Caption, Clip
from motiongpt.data.synthetic.action import discover
from motiongpt.data.synthetic.compose import Scene, compose
from motiongpt.data.synthetic.curves import FPS
from motiongpt.errors import UserError
from motiongpt.motion.resample import checked_fps, resample_positions
from motiongpt.motion.skeleton import HUMANML3D

PERCENT = {"train": 80, "val": 5, "test": 15}


def split_of(name: str) -> str:
    """The split of a clip, from its name alone: 80 % train, 5 % val, 15 % test."""
    share = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % 100
    for split, percent in PERCENT.items():
        if share < percent:
            return split
        share -= percent
    raise AssertionError("percentages add up to 100")


class SyntheticSource:
    """Humanoid motion made by kinematics: nothing to download, the same for the same arguments.

    A clip depends on the seed, its index and the list of actions, not on how many follow it.

    Args:
        clips: how many.
        seed: of everything random.
        actions: names of the actions to draw from; all where None.
        fps: frames per second of the clips, which are made at 20 and resampled.
        workers: processes that make clips; 0 makes them in this one. The content is the same.

    Raises:
        UserError: an unknown action, no action, fewer than one clip, no frame rate, or fewer than 0
            workers.
    """

    skeleton = HUMANML3D

    def __init__(
        self,
        clips: int = 2000,
        seed: int = 0,
        actions: Sequence[str] | None = None,
        fps: float = FPS,
        workers: int = 0,
    ) -> None:
        known = discover()
        chosen = list(known) if actions is None else list(actions)
        unknown = [name for name in chosen if name not in known]
        if unknown or not chosen:
            what = f"unknown action {unknown[0]!r}" if unknown else "the list of actions is empty"
            raise UserError(f"data.actions: {what}; choose among {', '.join(known)}")
        if clips < 1:
            raise UserError(f"data.clips: {clips} is not a number of clips; give 1 or more")
        if workers < 0:
            raise UserError(f"data.source.workers={workers}: give 0 or more")
        self._workers = workers
        self._actions = [known[name] for name in chosen]
        self._clips, self._seed, self.fps = clips, seed, checked_fps(fps)
        self.action_words: Mapping[str, tuple[str, ...]] = {
            action.name: action.words for action in self._actions
        }

    @property
    def expected_counts(self) -> Mapping[str, int]:
        """Clips per split: known beforehand, because names decide."""
        splits = [split_of(_name(index)) for index in range(self._clips)]
        return {split: splits.count(split) for split in PERCENT}

    def __len__(self) -> int:
        """How many clips `clips` yields."""
        return self._clips

    def scene(self, index: int) -> Scene:
        """One clip, at 20 frames per second, with its actions' parameters; actions take turns."""
        rng = np.random.default_rng([self._seed, index])
        return compose(rng, self._actions[index % len(self._actions)], self._actions)

    def _at_own_rate(self, joints: np.ndarray) -> np.ndarray:
        """Joints (T + 1, 22, 3) as they are made, at the frame rate of the clips."""
        if self.fps == FPS:
            return joints
        return resample_positions(joints, FPS, self.fps).astype(np.float32)

    def clips(self) -> Iterator[Clip]:
        """Yield every clip in a fixed order."""
        indices = ((index,) for index in range(self._clips))
        for index, scene in enumerate(in_order(self.scene, indices, self._workers)):
            yield Clip(
                name=_name(index),
                split=split_of(_name(index)),
                captions=tuple(Caption(text) for text in scene.captions),
                joints=self._at_own_rate(scene.joints),
                labels=tuple(segment.action for segment in scene.segments),
            )


def _name(index: int) -> str:
    return f"synthetic_{index:06d}"
