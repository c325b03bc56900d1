"""A trained lookup, and requests to it."""

from dataclasses import replace

import numpy as np
import torch

from motiongpt.methods.base import MotionFormat, Request
from motiongpt.methods.lookup.method import Lookup
from motiongpt.methods.lookup.stage import LookupStage
from motiongpt.motion.anchor import root_path
from motiongpt.motion.skeleton import HUMANML3D
from motiongpt.training.stage import Hardware, StageContext

FORMAT = MotionFormat(20.0, HUMANML3D)
CLIPS = 60


def trained(store, folder, **options):
    context = StageContext("lookup", "s", folder, {}, store, Hardware(accelerator="cpu"))
    LookupStage().run(context)
    return Lookup.load({"memory": folder / "model"}, FORMAT, **options)


def train_clip(store, number=3):
    index = int(store.indices("train")[number])
    return index, store.names[index], store.features(index)


def every_task(store, count=4, **other):
    """Requests of all tasks about test clips, with everything that is given."""
    found = []
    for index in [int(i) for i in store.indices("test")][:count]:
        features, name = store.features(index), store.names[index]
        text = store.captions(index)[0].text
        half, place = root_path(torch.from_numpy(features))
        last = len(features) - 12
        found += [
            Request(name, "text_to_motion", text, frames=len(features)),
            Request(name, "text_to_motion", text, sample=2),
            Request(name, "motion_to_text", motion=features),
            Request(name, "prediction", frames=len(features), start=features[:10]),
            Request(
                name,
                "inbetween",
                frames=len(features),
                start=features[:10],
                end=features[last:],
                place=place[last, 0::2].numpy(),
                heading=float(half[last]),
            ),
        ]
    return [replace(one, **other) for one in found]


def assert_same(one, other):
    assert one.text == other.text
    assert (one.motion is None) == (other.motion is None)
    if one.motion is not None:
        np.testing.assert_array_equal(one.motion, other.motion)
