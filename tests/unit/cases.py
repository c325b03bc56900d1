"""Cases of an evaluation for tests."""

import numpy as np

from evaluation.case import Case


def make_case(reference_joints, joints=None, given=None, features=None, **other) -> Case:
    """A clip whose joints are what the test says, whatever its features are."""
    frames = len(reference_joints)
    joints = np.asarray(reference_joints if joints is None else joints, np.float32)
    settings = {
        "name": "clip",
        "labels": (),
        "captions": (),
        "caption": "",
        "prompt": "",
        "reference": np.zeros((frames, 263), np.float32),
        "given": np.zeros(frames, bool) if given is None else given,
        "text": "",
        "features": np.zeros((len(joints), 263), np.float32) if features is None else features,
        "known_joints": joints,
    }
    case = Case(**(settings | other))
    # Where the cached property keeps its value.
    case.__dict__["reference_joints"] = np.asarray(reference_joints, np.float32)
    return case
