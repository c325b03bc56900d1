"""KIT's skeleton: 251 features, published in millimetres, and 21 joints."""

import numpy as np
import pytest
import torch

from evaluation.external.forms.base import Options
from evaluation.external.reading import read_all, understand
from evaluation.requests.predictions import About, PredictionSet
from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption, Clip
from motiongpt.data.statistics import channel_groups
from motiongpt.errors import UserError
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import KIT
from tests.unit.fake_source import FakeSource

NAMES = [f"{i:05d}" for i in range(10)]


def standing(seed, frames=41):
    """(T, 21, 3): KIT's rest pose, turning and swaying as one, and walking off."""
    offsets = KIT.offsets().numpy()
    pose = np.zeros((21, 3), np.float32)
    for joint, parent in enumerate(KIT.parents):
        if parent >= 0:
            pose[joint] = pose[parent] + offsets[joint]
    time = np.arange(frames)[:, None] / 12.5
    angle = 0.3 * np.sin(time * (1 + seed / 10))
    turned = np.stack(
        [
            np.cos(angle) * pose[:, 0] + np.sin(angle) * pose[:, 2],
            np.repeat(pose[None, :, 1], frames, 0),
            np.cos(angle) * pose[:, 2] - np.sin(angle) * pose[:, 0],
        ],
        -1,
    )
    turned[:, 15:] += 0.05 * np.abs(np.sin(3 * time))[..., None]  # the left leg lifts
    return (turned + time[..., None] * [0.2, 0, 0.4] - pose[:, 1].min()).astype(np.float32)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    clips = [
        Clip(name, "test", (Caption("walks"),), joints=standing(i)) for i, name in enumerate(NAMES)
    ]
    train = Clip("t", "train", (Caption("walks"),), joints=standing(99))
    source = FakeSource([train, *clips], skeleton=KIT, fps=12.5)
    return build_store(source, tmp_path_factory.mktemp("kit") / "s", progress=False)


def read(folder, store, tmp_path, **options):
    about = About(
        "text_to_motion", "motion", store.fingerprint, NAMES, [40] * 10, [(0, 0)] * 10, [0]
    )
    external = understand(folder, about, store, Options(**options))
    read_all(external, tmp_path / "set")
    return external, PredictionSet.open(tmp_path / "set").read(0, store.n_features).motions


def test_millimetres_are_asked_about_and_read(store, tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    _, root, height, positions, _, velocities, _ = channel_groups(KIT)
    for index, name in enumerate(NAMES, start=1):
        rows = store.features(index)
        for group in (root, height, positions, velocities):
            rows[:, group] *= 1000
        np.save(folder / f"{name}.npy", rows)
    with pytest.raises(UserError, match="a body of .*--metres-per-unit 0.001"):
        read(folder, store, tmp_path)
    _, found = read(folder, store, tmp_path, metres_per_unit=0.001)
    np.testing.assert_allclose(found[0], store.features(1), atol=1e-5)


def test_its_joints_are_read(store, tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    for index, name in enumerate(NAMES, start=1):
        rows = torch.from_numpy(store.features(index))
        np.save(folder / f"{name}.npy", features_to_joints(rows, KIT).numpy())
    external, found = read(folder, store, tmp_path)
    assert external.said["form"] == "joints" and "kept" in external.said["bones"]
    # Headings are smoothed over four seconds and more, so that the features' own differ near the
    # end, where one frame is not known; the joints that they stand for are the same.
    mine, real = (
        features_to_joints(torch.from_numpy(np.array(rows)), KIT).numpy()
        for rows in (found[3], store.features(4))
    )
    np.testing.assert_allclose(mine, real, atol=1e-4)
