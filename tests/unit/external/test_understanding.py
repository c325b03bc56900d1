"""What files leave open is found out or asked by one line: unit, axis, rate, normalisation, body."""

import numpy as np
import pytest

from evaluation.external.forms.base import Target
from evaluation.external.forms.features import misfit
from motiongpt.data.statistics import NORMALISATIONS, weighted_std
from motiongpt.errors import UserError
from motiongpt.motion.resample import resample_positions
from motiongpt.motion.skeleton import HUMANML3D
from tests.forms.features_272 import features as features_272
from tests.unit.external.parts import read, write_features, write_joints


def refused(words, *args, **options):
    with pytest.raises(UserError, match=words) as caught:
        read(*args, **options)
    assert "\n" not in str(caught.value)


def off(found, bench, clip=0):
    """Millimetres between the joints of a clip and the real ones."""
    import torch

    from motiongpt.motion.recover import features_to_joints

    rows = np.array(found.read(0, 263).motions[clip])
    joints = features_to_joints(torch.from_numpy(rows), HUMANML3D).numpy()
    real = bench.joints(bench.names[clip])[: len(joints)]
    return 1000 * np.linalg.norm(joints[: len(real)] - real, axis=-1).max()


def test_centimetres_are_asked_about_and_read(bench, tmp_path):
    folder = write_joints(tmp_path / "cm", bench, lambda joints: 100 * joints)
    refused("a body of 1.. m.*--metres-per-unit 0.01", folder, bench, tmp_path)
    external, found = read(folder, bench, tmp_path, metres_per_unit=0.01)
    assert external.said["unit"] == "0.01 m" and off(found, bench) < 0.1


def test_another_axis_up_is_asked_about_and_read(bench, tmp_path):
    def z_up(joints):
        return np.stack([joints[..., 0], -joints[..., 2], joints[..., 1]], -1)

    folder = write_joints(tmp_path / "z", bench, z_up)
    refused("head is not above the pelvis.*--up-axis Z", folder, bench, tmp_path)
    external, found = read(folder, bench, tmp_path, up_axis="Z")
    assert external.said["up"] == "Z" and off(found, bench) < 0.1


def test_another_frame_rate_is_told_by_the_lengths_and_read(bench, tmp_path):
    folder = write_joints(
        tmp_path / "30", bench, lambda joints: resample_positions(joints, 20.0, 30.0)
    )
    refused("1.[45]. times as long.*seems to be 30.*--fps 30", folder, bench, tmp_path)
    external, found = read(folder, bench, tmp_path, fps=30.0)
    assert external.said["frame rate"] == "30, as --fps says"
    # every other frame lies half way between two that were interpolated themselves
    assert off(found, bench) < 15
    lengths = [len(one) for one in found.read(0, 263).motions]
    assert lengths == pytest.approx(external.about.frames, abs=1)
    read(folder, bench, tmp_path, fps=20.0)  # who says so is believed


def test_lengths_of_a_systems_own_are_no_other_frame_rate(bench, tmp_path):
    lengths = iter([20, 50, 30, 60, 45, 25, 55, 35, 40, 28])

    def own(joints):
        return np.concatenate([joints, joints])[: next(lengths)]

    read(write_joints(tmp_path / "own", bench, own), bench, tmp_path)
    same = write_joints(tmp_path / "same", bench, lambda j: np.concatenate([j] * 5)[:196])
    read(same, bench, tmp_path)


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_features_normalised_with_the_datas_statistics_are_told(name, bench, tmp_path):
    store = bench.store
    std = weighted_std(store.std, HUMANML3D, name)  # the store's own is HumanML3D's
    folder = write_features(tmp_path / "n", bench, lambda rows: (rows - store.mean) / std)
    external, found = read(folder, bench, tmp_path)
    assert external.said["normalised"] == f"with the data's mean and std ({name})"
    np.testing.assert_allclose(
        found.read(0, 263).motions[0], bench.features(bench.names[0]), atol=1e-5
    )
    refused("leave --metres-per-unit out", folder, bench, tmp_path, metres_per_unit=0.01)


def test_features_as_they_are_stay_what_they_are(bench, tmp_path):
    external, found = read(write_features(tmp_path / "f", bench), bench, tmp_path)
    assert external.said["normalised"] == "no"
    np.testing.assert_array_equal(found.read(0, 263).motions[0], bench.features(bench.names[0]))


def test_statistics_of_ones_own_are_given(bench, tmp_path):
    draw = np.random.default_rng(0)
    mean, std = draw.normal(size=263), draw.uniform(0.5, 3, 263)
    folder = write_features(tmp_path / "o", bench, lambda rows: (rows - mean) / std)
    refused("can't tell whether these features are normalised", folder, bench, tmp_path)
    np.save(folder / "Mean.npy", mean)
    refused("Std.npy can't be used", folder, bench, tmp_path, statistics=folder)
    np.save(folder / "Std.npy", std.astype(np.float32))
    external, found = read(folder, bench, tmp_path, statistics=folder)
    assert external.said["normalised"] == f"with the mean and std of {folder}"
    np.testing.assert_allclose(
        found.read(0, 263).motions[3], bench.features(bench.names[3]), atol=1e-5
    )


def test_what_a_generator_blurs_is_still_told(bench, tmp_path):
    draw = np.random.default_rng(1)
    blur = 0.05 * bench.store.std
    folder = write_features(
        tmp_path / "b", bench, lambda rows: rows + blur * draw.normal(size=rows.shape)
    )
    assert read(folder, bench, tmp_path)[0].said["normalised"] == "no"
    assert misfit(draw.normal(size=(50, 263)), Target.of(bench.store)) > 0.5


def test_another_body_is_put_on_the_datas_skeleton_and_its_own_is_left(bench, tmp_path):
    same, _ = read(write_joints(tmp_path / "a", bench), bench, tmp_path)
    assert same.said["bones"] == "the data's own, kept as they are"
    child = write_joints(tmp_path / "b", bench, lambda joints: 0.7 * joints)
    external, found = read(child, bench, tmp_path)
    assert "put on the data's skeleton" in external.said["bones"]
    assert off(found, bench) < 1, "a smaller body that moves alike is the same motion"


def test_bones_that_a_system_stretches_stay_stretched(bench, tmp_path):
    def stretched(joints):
        longer = joints.copy()
        longer[:, 20] += 0.03 * np.sin(np.arange(len(joints)) / 3)[:, None]
        return longer

    folder = write_joints(tmp_path / "s", bench, stretched)
    external, found = read(folder, bench, tmp_path)
    assert "kept" in external.said["bones"] and 20 < off(found, bench) < 80


def test_feet_below_the_floor_stay_below(bench, tmp_path):
    folder = write_joints(tmp_path / "d", bench, lambda joints: joints - [0, 0.04, 0])
    external, found = read(folder, bench, tmp_path)
    assert "heights are kept" in external.said["floor"]
    assert off(found, bench) == pytest.approx(40, abs=0.5)
    far = write_joints(tmp_path / "e", bench, lambda joints: joints + [0, 3, 0])
    external, found = read(far, bench, tmp_path)
    assert "put at height 0" in external.said["floor"] and off(found, bench) < 10


def test_flat_rows_and_larger_bodies_are_joints_too(bench, tmp_path):
    flat = write_joints(tmp_path / "flat", bench, lambda j: j.reshape(len(j), 66))
    assert off(read(flat, bench, tmp_path)[1], bench) < 0.1
    more = write_joints(
        tmp_path / "24", bench, lambda j: np.concatenate([j, np.zeros((len(j), 2, 3))], 1)
    )
    assert off(read(more, bench, tmp_path)[1], bench) < 0.1
    batch = write_joints(tmp_path / "batch", bench, lambda joints: joints[None])
    assert off(read(batch, bench, tmp_path)[1], bench) < 0.1


def test_272_features_have_thirty_frames_a_second_unless_somebody_says(bench, tmp_path):
    folder = tmp_path / "272"
    folder.mkdir()
    for name, motion in bench.motions.items():
        np.save(folder / f"{name}.npy", features_272(motion, 1))
    refused("0.6. times as long.*--fps 20", folder, bench, tmp_path)
    external, found = read(folder, bench, tmp_path, fps=20.0)
    assert external.said["form"] == "features_272" and off(found, bench) < 0.2


def test_normalised_272_features_need_their_statistics(bench, tmp_path):
    folder = tmp_path / "272"
    folder.mkdir()
    rows = {name: features_272(motion, 1) for name, motion in bench.motions.items()}
    draw = np.random.default_rng(2)
    mean = draw.normal(size=272).astype(np.float32)
    std = draw.uniform(0.1, 0.6, 272).astype(np.float32)
    for name, of_clip in rows.items():
        np.save(folder / f"{name}.npy", (of_clip - mean) / std)
    refused("are normalised.*--statistics", folder, bench, tmp_path, fps=20.0)
    np.save(folder / "Mean.npy", mean)
    np.save(folder / "Std.npy", std)
    _, found = read(folder, bench, tmp_path, fps=20.0, statistics=folder)
    assert off(found, bench) < 0.2


def test_without_a_body_model_smpl_is_one_line(bench, tmp_path):
    folder = tmp_path / "smpl"
    folder.mkdir()
    from tests.forms.smpl import write

    for name in bench.names:
        write(folder, name, bench)
    refused("need the body model SMPLX_NEUTRAL.npz.*--body-models", folder, bench, tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    refused("has none", folder, bench, tmp_path, body_models=empty)
    (empty / "SMPLX_NEUTRAL.npz").write_bytes(b"no archive")
    refused("no body model", folder, bench, tmp_path, body_models=empty)
