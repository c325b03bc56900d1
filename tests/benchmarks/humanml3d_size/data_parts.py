"""Getting the data ready: features, checks, store, statistics, card, tokens."""

import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from motiongpt.data.build import build_store
from motiongpt.data.card import CARD, data_card
from motiongpt.data.humanml3d import HumanML3DSource
from motiongpt.data.statistics import mean_and_std
from motiongpt.data.store import MotionStore
from motiongpt.data.verify import verify_source
from tests.benchmarks.humanml3d_size.part import Found, Part, Place
from tests.benchmarks.humanml3d_size.simulation import Simulated


def simulate(place: Place) -> Found:
    """Write the folder that the other parts read."""
    shutil.rmtree(place.folder, ignore_errors=True)
    return _timed(place, lambda: Simulated(place.clips, place.seed).write_folder(place.source))


def features(place: Place) -> Found:
    """Features of joints, as of one's own capture, into a store that is deleted afterwards."""
    folder = place.folder / "store_of_joints"
    source = Simulated(place.clips, place.seed)
    found = _timed(place, lambda: build_store(source, folder, progress=False))
    shutil.rmtree(folder)
    return found


def verify(place: Place) -> Found:
    """`motiongpt data verify data=humanml3d`."""

    def check() -> None:
        report = verify_source(HumanML3DSource(str(place.source)), progress=False)
        assert not report.bad, report.bad[:3]
        assert sum(report.good.values()) == place.clips

    return _timed(place, check)


def prepare(place: Place) -> Found:
    """`motiongpt data prepare data=humanml3d`, statistics and fingerprint included."""
    source = HumanML3DSource(str(place.source))
    return _timed(place, lambda: build_store(source, place.store, progress=False))


def statistics(place: Place) -> Found:
    """Mean and standard deviation of the training split, a part of `prepare`."""
    store = MotionStore.open(place.store)
    train = store.indices("train")

    def clips() -> Iterator[np.ndarray]:
        for index in train:
            yield store.features(int(index))

    begun = time.perf_counter()
    mean_and_std(clips, store.skeleton)
    return Found(time.perf_counter() - begun, len(train), len(train))


def card(place: Place) -> Found:
    """The data card: every clip and caption of val and test beside all of train."""
    store = MotionStore.open(place.store)
    (place.store / CARD).unlink(missing_ok=True)
    return _timed(place, lambda: data_card(store, progress=False))


def _timed(place: Place, work: Callable[[], Any]) -> Found:
    begun = time.perf_counter()
    work()
    return Found(time.perf_counter() - begun, place.clips, place.clips)


PARTS = (
    Part("simulate", "the simulated folder written (no part of the project)", "clips", simulate),
    Part("features", "a store made of joints (own capture)", "clips", features),
    Part("verify", "data verify of a folder in HumanML3D's layout", "clips", verify),
    Part(
        "prepare",
        "data prepare of the same: checks, store, statistics, fingerprint",
        "clips",
        prepare,
    ),
    Part("statistics", "of which mean and std", "training clips", statistics),
    Part("card", "data card, once a store", "clips", card),
)
