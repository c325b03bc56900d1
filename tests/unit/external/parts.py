"""What the tests of other systems' predictions share."""

import numpy as np

from evaluation.external.forms.base import Options
from evaluation.external.reading import read_all, understand
from evaluation.requests.predictions import About, PredictionSet


def about_of(bench, replications=2, **changes):
    """What is asked of all clips of a bench."""
    names = list(bench.store.names)
    settings = {
        "task": "text_to_motion",
        "kind": "motion",
        "fingerprint": bench.store.fingerprint,
        "clips": bench.names,
        "frames": [int(bench.store.lengths[names.index(clip)]) for clip in bench.names],
        "given": [(0, 0)] * len(bench.names),
        "seeds": list(range(replications)),
    }
    return About(**{**settings, **changes})


def write_joints(folder, bench, change=lambda joints: joints, name="{}.npy", clips=None):
    """Joints of clips, changed, under names that hold the clip's."""
    for clip in bench.names if clips is None else clips:
        path = folder / name.format(clip)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.asarray(change(bench.joints(clip)), np.float32))
    return folder


def write_features(folder, bench, change=lambda rows: rows):
    """Features of all clips, changed."""
    folder.mkdir(parents=True, exist_ok=True)
    for clip in bench.names:
        np.save(folder / f"{clip}.npy", np.asarray(change(bench.features(clip)), np.float32))
    return folder


def read(folder, bench, tmp_path, partial=False, form=None, replications=2, **options):
    """What was understood, and the set of predictions."""
    about = about_of(bench, replications)
    external = understand(folder, about, bench.store, Options(**options), form, partial)
    read_all(external, tmp_path / "set")
    return external, PredictionSet.open(tmp_path / "set")
