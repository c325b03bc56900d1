"""Cases of an evaluation for tests."""

import numpy as np

from evaluation.case import Case


def make_case(reference_joints, joints=None, given=None, features=None, **other) -> Case:
    """A case whose joints are as given, whatever its features say."""
    frames = len(reference_joints)
    joints = reference_joints if joints is None else joints
    settings = {
        "name": "clip",
        "labels": (),
        "captions": (),
        "caption": "",
        "prompt": "",
        "reference": np.zeros((frames, 263), np.float32),
        "given": np.zeros(frames, bool) if given is None else given,
        "text": "",
        "features": np.zeros((frames, 263), np.float32) if features is None else features,
        "known_joints": np.asarray(joints, np.float32),
    }
    case = Case(**(settings | other))
    case.__dict__["reference_joints"] = np.asarray(reference_joints, np.float32)
    return case
