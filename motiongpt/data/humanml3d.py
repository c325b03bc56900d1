"""HumanML3D, KIT and Motion-X: folders in the layout that HumanML3D publishes.

new_joint_vecs/ID.npy (T, F) features, texts/ID.txt captions, train.txt, val.txt and test.txt with
one id a line, Mean.npy and Std.npy. Ids that begin with M are mirrored clips, listed as others.
Shape letters: T frames, F features.
"""

import math
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from motiongpt.arrays import read_array
from motiongpt.data.checks import array_problem
from motiongpt.data.clip import SPLITS, BadClip, Clip, SourceMissing
from motiongpt.data.humanml3d_texts import MalformedText, Span, read_captions
from motiongpt.data.split_lists import SplitLists, read_split_lists
from motiongpt.data.statistics import channel_groups
from motiongpt.errors import UserError
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.resample import checked_fps, resample_positions
from motiongpt.motion.skeleton import skeleton_by_name

STATISTICS = ("Mean.npy", "Std.npy")


class HumanML3DSource:
    """Clips of one folder; a caption with times makes a clip of its own of the frames it is about.

    Such a sub-clip is named ID@FROM-TO. The clip itself is yielded if a caption is about all of it.
    As in the data set's own loader, clips and sub-clips shorter than `min_frames` or longer than
    `max_frames` are not used: they are yielded as bad clips that say so.
    """

    action_words: Mapping[str, tuple[str, ...]] = {}

    def __init__(
        self,
        path: str,
        skeleton: str = "humanml3d",
        fps: float = 20.0,
        files_fps: float | None = None,
        resample: bool = False,
        min_frames: int = 40,
        max_frames: int = 199,
        millimetres: bool = False,
        expected_counts: Mapping[str, int] | None = None,
        how_to_get: str = "",
    ) -> None:
        """Note where the files are; nothing is read yet.

        Args:
            path: the folder.
            skeleton: "humanml3d" or "kit".
            fps: frames per second of the clips; turns caption times into frames.
            files_fps: frames per second of the features in the folder, which are used as they are
                published; None for `fps`.
            resample: make features anew at `fps`, of the joints that the published ones describe;
                published statistics are then not used.
            min_frames: fewest frames of a clip. HumanML3D's loader: 40, for KIT 24.
            max_frames: most frames of a clip. HumanML3D's loader: below 200.
            millimetres: the features are in millimetres, as KIT's; they are turned into metres,
                mean and std with them, so that normalised features stay what they are.
            expected_counts: ids per split that the data set is known to have.
            how_to_get: what the error about a missing folder says.

        Raises:
            UserError: another frame rate than the files'.
        """
        self.folder = Path(path)
        self.skeleton = skeleton_by_name(skeleton)
        self.fps = checked_fps(fps)
        if files_fps is not None and not resample and not math.isclose(fps, files_fps):
            raise UserError(
                f"data.fps={fps:g}: these features are published at {files_fps:g} frames per "
                "second and not resampled; leave data.fps out (of your own features at that rate, "
                f"data.source.files_fps={fps:g} says so; data.source.resample=true makes them anew)"
            )
        self.min_frames = min_frames
        self.max_frames = max_frames
        self.expected_counts = dict(expected_counts or {})
        self.description = f"{self.skeleton.n_features} features as published, at {fps:g} fps"
        self._files_fps = fps if files_fps is None else files_fps
        self._resamples = resample and not math.isclose(fps, self._files_fps)
        self._how_to_get = how_to_get
        self._scale = np.ones(self.skeleton.n_features, np.float32)
        if millimetres:
            _, root, height, positions, _, velocities, _ = channel_groups(self.skeleton)
            for group in (root, height, positions, velocities):
                self._scale[group] = 0.001

    def __len__(self) -> int:
        return sum(self.listed_counts().values())

    def listed_counts(self) -> Mapping[str, int]:
        """Ids in each split's list."""
        return {split: len(ids) for split, ids in self._lists.ids.items()}

    def files(self) -> Mapping[str, Path]:
        """The lists, the statistics, and all motions and texts, by their path in the folder.

        Raises:
            SourceMissing: no folder.
            UserError: a part of it is missing.
        """
        self._check_parts()
        single = [f"{split}.txt" for split in SPLITS] + [*STATISTICS]
        found = {name: self.folder / name for name in single if (self.folder / name).exists()}
        for part in ("new_joint_vecs", "texts"):
            names = (entry.name for entry in os.scandir(self.folder / part) if entry.is_file())
            found |= {f"{part}/{name}": self.folder / part / name for name in names}
        return found

    def clips(self) -> Iterator[Clip | BadClip]:
        """Yield the clips of train, val, test in the lists' order, each before its sub-clips.

        Raises:
            UserError: the folder or a part of it is missing.
        """
        yield from self._lists.bad
        for split in SPLITS:
            for name in self._lists.ids[split]:
                if name not in self._lists.excluded:
                    yield from self._clips_of(name, split)

    def published_statistics(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Mean.npy and Std.npy of the folder, (F,) float32 each; None where neither is there.

        Raises:
            UserError: one of them is missing or broken.
        """
        if self._resamples:
            return None
        paths = [self.folder / name for name in STATISTICS]
        if not any(path.exists() for path in paths):
            return None
        mean, std = (self._statistic(path) for path in paths)
        if not (std > 0).all():
            raise UserError(
                f"{paths[1]} is not above zero in every channel; remove it and Mean.npy to have "
                "them computed"
            )
        return mean * self._scale, std * self._scale

    @cached_property
    def _lists(self) -> SplitLists:
        self._check_parts()
        return read_split_lists(self.folder)

    def _check_parts(self) -> None:
        needed = ["new_joint_vecs", "texts", *(f"{split}.txt" for split in SPLITS)]
        if not self.folder.is_dir():
            raise SourceMissing(f"no folder {self.folder}; {self._mend()}")
        missing = [name for name in needed if not (self.folder / name).exists()]
        if missing:
            raise UserError(f"{self.folder} has no {', '.join(missing)}; {self._mend()}")

    def _mend(self) -> str:
        how = f"{self._how_to_get}, then " if self._how_to_get else ""
        return f"{how}pass the folder as data.source.path=FOLDER"

    def _clips_of(self, name: str, split: str) -> Iterator[Clip | BadClip]:
        try:
            features = self._read(self.folder / "new_joint_vecs" / f"{name}.npy")
            captions = read_captions(self.folder / "texts" / f"{name}.txt")
        except (UnusableMotion, MalformedText) as error:
            yield BadClip(name, str(error))
            return
        for span, of_span in sorted(captions.items(), key=lambda item: not item[0].whole):
            rows = features if span.whole else features[span.frames(self._files_fps)]
            clip_name = name if span.whole else f"{name}@{span}"
            problem = self._length_problem(len(rows), span, len(features))
            if problem:
                yield BadClip(clip_name, problem)
            elif self._resamples:
                yield Clip(clip_name, split, of_span, joints=self._resampled(rows))
            else:
                yield Clip(clip_name, split, of_span, features=rows)

    def _resampled(self, features: np.ndarray) -> np.ndarray:
        """Joints (T, J, 3) float32 at `fps` of features (T, F)."""
        joints = features_to_joints(torch.from_numpy(features), self.skeleton).numpy()
        return resample_positions(joints, self._files_fps, self.fps).astype(np.float32)

    def _length_problem(self, frames: int, span: Span, available: int) -> str | None:
        of = "" if span.whole else f" in {span} s of {available} frames"
        if frames < self.min_frames:
            return f"too short: {frames} frames{of}, at least {self.min_frames} are needed"
        if frames > self.max_frames:
            return f"too long: {frames} frames{of}, at most {self.max_frames} are used"
        return None

    def _read(self, path: Path) -> np.ndarray:
        """Features (T, F) float32 in metres, checked."""
        try:
            features = read_array(path)
        except FileNotFoundError:
            raise UnusableMotion("listed but absent: no such file in new_joint_vecs") from None
        except (OSError, ValueError) as error:
            raise UnusableMotion(f"unreadable: {' '.join(str(error).split())}") from error
        problem = array_problem(features, (self.skeleton.n_features,), 1, "features")
        if problem:
            raise UnusableMotion(problem)
        return features.astype(np.float32) * self._scale

    def _statistic(self, path: Path) -> np.ndarray:
        try:
            values = read_array(path)
            if values.shape != (self.skeleton.n_features,) or not np.isfinite(values).all():
                raise ValueError(f"expected ({self.skeleton.n_features},) finite numbers")
        except (OSError, ValueError, TypeError) as error:
            raise UserError(
                f"{path} can't be used ({' '.join(str(error).split())}); put the published file "
                "there, or remove Mean.npy and Std.npy to have them computed"
            ) from error
        return values.astype(np.float32)


class UnusableMotion(ValueError):
    """A feature file that can't be used; the message says why."""
