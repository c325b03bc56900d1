"""One clip under evaluation: what is true, what was given, and one method's output.

Shape letters: T frames, F features, J joints.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from evaluation.evaluators.action_classifier import ActionClassifier
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import HUMANML3D, Skeleton

BATCH_SIZE = 64  # clips whose joints are recovered together


@dataclass(frozen=True)
class Case:
    """What a metric needs of one clip.

    Attributes:
        name: of the clip.
        labels: actions that the clip shows.
        captions: true sentences about it.
        caption: the one that asked for the motion, or that the sentence is compared with first.
        prompt: what the model was asked.
        reference: (T, F) true features, not normalised.
        given: (T,) True where the frame was given to the model.
        text: the method's sentence, empty where it made a motion.
        features: (T', F) the method's motion, not normalised; (0, F) where it made none.
        skeleton: of both.
        known_joints: (T', J, 3) metres of the method's motion, where it was made as joints;
            None where they follow from the features.
    """

    name: str
    labels: tuple[str, ...]
    captions: tuple[str, ...]
    caption: str
    prompt: str
    reference: np.ndarray
    given: np.ndarray
    text: str
    features: np.ndarray
    skeleton: Skeleton = HUMANML3D
    known_joints: np.ndarray | None = field(default=None, repr=False)

    @cached_property
    def joints(self) -> np.ndarray:
        """(T', J, 3) metres of the method's motion, in the coordinates of the reference."""
        if self.known_joints is not None:
            return self.known_joints
        return joints_of(self.features, self.skeleton)

    @cached_property
    def reference_joints(self) -> np.ndarray:
        """(T, J, 3) metres, recovered from the reference."""
        return joints_of(self.reference, self.skeleton)


@dataclass(frozen=True)
class Scorers:
    """What metrics need besides the cases: trained on real clips only.

    Attributes:
        skeleton: of all joints.
        fps: frames per second of all motions.
        action_words: label -> regular expressions that name the action.
        classifier: recognises actions in motion, or None where clips carry no labels.
        mean: (F,) the mean pose, with which released code pads a batch; None where it is unknown.
    """

    skeleton: Skeleton
    fps: float
    action_words: dict[str, tuple[str, ...]]
    classifier: ActionClassifier | None = None
    mean: np.ndarray | None = field(default=None, repr=False)


def recover_joints(cases: Sequence[Case]) -> None:
    """Recover the joints of many cases at once, which is faster than when each is asked for.

    References that several cases share, as the same array, are recovered once.
    """
    asked: dict[int, tuple[np.ndarray, list[tuple[Case, str]]]] = {}
    for case in cases:
        wanted = {"reference_joints": case.reference}
        if case.known_joints is None:
            wanted["joints"] = case.features
        for name, features in wanted.items():
            if name not in vars(case):
                asked.setdefault(id(features), (features, []))[1].append((case, name))
    entries = sorted(asked.values(), key=lambda entry: len(entry[0]))
    for first in range(0, len(entries), BATCH_SIZE):
        batch = entries[first : first + BATCH_SIZE]
        padded = pad_sequence([torch.from_numpy(clip) for clip, _ in batch], batch_first=True)
        joints = features_to_joints(padded, cases[0].skeleton).numpy()
        for (clip, targets), found in zip(batch, joints, strict=True):
            for case, name in targets:
                vars(case)[name] = found[: len(clip)]  # where a cached property keeps its value


def joints_of(features: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Joints (T, J, 3) in metres of features (T, F); none for a motion without frames."""
    if not len(features):
        return np.zeros((0, skeleton.n_joints, 3), np.float32)
    # A copy, because features may be mapped from a file and torch warns of what is read-only.
    return features_to_joints(torch.tensor(features), skeleton).numpy()
