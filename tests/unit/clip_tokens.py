"""A clip in tokens, as the tasks of MotionGPT draw from it."""

import numpy as np

from motiongpt.backbones.motion_vocabulary import MotionVocabulary
from motiongpt.methods.motiongpt.tasks.clip_tokens import ClipTokens
from motiongpt.methods.motiongpt.tasks.views import views_from

K = 64
VOCABULARY = MotionVocabulary(K)
RANGES = {
    "prediction_given": [0.0, 0.2],
    "inbetween_head": [0.0, 0.25],
    "inbetween_tail": [0.75, 1.0],
}


def make_clip(tokens=20, captions=("a person walks forward.",), rest=3):
    """Whole clip is 0, 1, 2, ...; views count from 30, 40 and 50, as if encoded alone."""
    views = {"whole": np.arange(tokens) % K}
    for base, view in zip((30, 40, 50), views_from(RANGES), strict=True):
        first, last = view.token_range(tokens)
        views[view.name] = base + np.arange(last - first)
    return ClipTokens("clip", tokens * 4 + rest, 20.0, 4, captions, views)
