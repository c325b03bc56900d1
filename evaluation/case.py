"""One clip under evaluation: what is true, what was given, and one method's answer.

Shape letters: T frames, F features, J joints.
"""

from dataclasses import dataclass

import numpy as np

from evaluation.evaluators.action_classifier import ActionClassifier
from motiongpt.motion.skeleton import Skeleton


@dataclass(frozen=True)
class Case:
    """What a metric needs of one clip.

    Attributes:
        name: of the clip.
        labels: actions that the clip shows.
        captions: true sentences about it.
        prompt: what the model was asked.
        reference: (T, F) true features, not normalised.
        reference_joints: (T, J, 3) metres, recovered from them.
        given: (T,) True where the frame was given to the model.
        text: the method's sentence, empty where it made a motion.
        features: (T', F) the method's motion, not normalised; (0, F) where it made none.
        joints: (T', J, 3) metres, in the coordinates of the reference.
    """

    name: str
    labels: tuple[str, ...]
    captions: tuple[str, ...]
    prompt: str
    reference: np.ndarray
    reference_joints: np.ndarray
    given: np.ndarray
    text: str
    features: np.ndarray
    joints: np.ndarray


@dataclass(frozen=True)
class Scorers:
    """What metrics need besides the cases: trained on real clips only.

    Attributes:
        skeleton: of all joints.
        action_words: label -> regular expressions that name the action.
        classifier: recognises actions in motion, or None where clips carry no labels.
    """

    skeleton: Skeleton
    action_words: dict[str, tuple[str, ...]]
    classifier: ActionClassifier | None = None
