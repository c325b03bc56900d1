"""Clips as many and as long as HumanML3D's, their content made up.

HumanML3D (Guo et al., CVPR 2022): 29,228 clips that its own loader takes, mirrored ones included,
23,384 of them to train on, 1,460 to validate, 4,384 to test; 40 to 196 frames at 20 a second, 7.1 s
on average, three captions each. Some hundred bodies that walk on curves are cut and scaled: cheap to
make, and as long to read, check and code as real ones.
Shapes: T frames, J joints, F features.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from torch import Tensor

from motiongpt.data.clip import SPLITS, Caption, Clip
from motiongpt.motion.features import joints_to_features
from motiongpt.motion.skeleton import HUMANML3D, Skeleton
from tests.benchmarks.speed.motion import moving_clips

FRAMES = (40, 196)
SHARE_OF_LONGEST = 0.3  # with the rest evenly between, 142 frames on average
SHARES = {"train": 23384 / 29228, "val": 1460 / 29228, "test": 4384 / 29228}
BODIES = 256
SCALES = 0.02  # of a clip's sizes, so that no two are the same
CAPTIONS = 3
CAPTION_WORDS = (11.7, 3.5, 5, 19)  # mean, deviation, fewest, most
VERBS = ("walks", "runs", "turns", "jumps", "sits", "waves", "kicks", "throws", "bends", "steps")
WORDS = 2000


@dataclass(frozen=True)
class Simulated:
    """A source of `count` clips of joints; the same each time.

    Attributes:
        count: clips.
        seed: of lengths, cuts and words.
    """

    count: int
    seed: int = 0
    skeleton: Skeleton = HUMANML3D
    fps: float = 20.0
    action_words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    expected_counts: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.count

    def clips(self) -> Iterator[Clip]:
        """Yield them, joints (T + 1, J, 3), split after split."""
        for index, (length, split, captions) in enumerate(self._plan()):
            body = self._bodies[index % len(self._bodies)][: length + 1]
            draw = np.random.default_rng([self.seed, index])
            scale = np.float32(1 + SCALES * draw.standard_normal())
            yield Clip(f"{index:06d}", split, captions, joints=scale * body)

    def write_folder(self, folder: Path) -> None:
        """Write them in HumanML3D's layout, as features (T, F), without Mean.npy and Std.npy."""
        for part in ("new_joint_vecs", "texts"):
            (folder / part).mkdir(parents=True)
        names: dict[str, list[str]] = {split: [] for split in SPLITS}
        bodies = joints_to_features(self._bodies_as_tensor, self.skeleton).numpy()
        for index, (length, split, captions) in enumerate(self._plan()):
            draw = np.random.default_rng([self.seed, index])
            scale = np.float32(1 + SCALES * draw.standard_normal())
            name = f"{index:06d}"
            np.save(
                folder / "new_joint_vecs" / f"{name}.npy", scale * bodies[index % BODIES][:length]
            )
            lines = [f"{one.text}#{one.tokens}#0.0#0.0\n" for one in captions]
            (folder / "texts" / f"{name}.txt").write_text("".join(lines))
            names[split].append(name)
        for split, listed in names.items():
            (folder / f"{split}.txt").write_text("".join(f"{name}\n" for name in listed))

    def _plan(self) -> Iterator[tuple[int, str, tuple[Caption, ...]]]:
        """Frames, split and captions of each clip."""
        draw = np.random.default_rng(self.seed)
        for split, count in self.counts.items():
            for _ in range(count):
                yield _length(draw), split, tuple(_caption(draw) for _ in range(CAPTIONS))

    @property
    def counts(self) -> dict[str, int]:
        """Clips of each split, in HumanML3D's shares."""
        found = {split: max(1, round(share * self.count)) for split, share in SHARES.items()}
        return found | {"train": self.count - found["val"] - found["test"]}

    @cached_property
    def _bodies(self) -> np.ndarray:
        return self._bodies_as_tensor.numpy()

    @cached_property
    def _bodies_as_tensor(self) -> Tensor:
        return moving_clips(BODIES, FRAMES[1] + 1, self.skeleton, self.seed)


def _length(draw: np.random.Generator) -> int:
    longest = draw.random() < SHARE_OF_LONGEST
    return FRAMES[1] if longest else int(draw.integers(FRAMES[0], FRAMES[1] + 1))


def _caption(draw: np.random.Generator) -> Caption:
    mean, deviation, fewest, most = CAPTION_WORDS
    count = int(np.clip(round(draw.normal(mean, deviation)), fewest, most))
    rare = np.minimum(draw.zipf(1.3, count - 3), WORDS)  # few words are said often, many seldom
    words = ["a", "person", VERBS[draw.integers(len(VERBS))], *(f"word{number}" for number in rare)]
    return Caption(" ".join(words), " ".join(f"{word}/NOUN" for word in words))
