"""Cases of an evaluation for tests."""

import numpy as np

from evaluation.case import Case


def make_case(reference_joints, joints=None, given=None, features=None, **other) -> Case:
    frames = len(reference_joints)
    settings = {
        "name": "clip",
        "labels": (),
        "captions": (),
        "prompt": "",
        "reference": np.zeros((frames, 263), np.float32),
        "reference_joints": np.asarray(reference_joints, np.float32),
        "given": np.zeros(frames, bool) if given is None else given,
        "text": "",
        "features": np.zeros((frames, 263), np.float32) if features is None else features,
        "joints": np.asarray(reference_joints if joints is None else joints, np.float32),
    }
    return Case(**(settings | other))
