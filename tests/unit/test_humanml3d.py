import numpy as np
import pytest
import torch

from motiongpt.data.build import build_store
from motiongpt.data.clip import BadClip, Caption, MotionSource
from motiongpt.data.humanml3d import HumanML3DSource
from motiongpt.errors import UserError
from motiongpt.motion.recover import features_to_joints
from tests.shared import shared
from tests.unit.humanml3d_folder import WHOLE, Folder


@pytest.fixture
def folder(tmp_path) -> Folder:
    return Folder(tmp_path / "HumanML3D")


def clips_of(folder: Folder, **settings):
    items = list(HumanML3DSource(str(folder.path), **settings).clips())
    return {item.name: item for item in items}


def test_clip_with_several_captions(folder):
    text = f"{WHOLE}\n\nhe runs, then stops#he/PRON run/VERB#nan#nan\n"
    features = folder.clip("000001", "val", text=text)
    clip = clips_of(folder)["000001"]
    assert clip.split == "val"
    assert clip.captions == (
        Caption("a person walks", "a/DET person/NOUN walk/VERB"),
        Caption("he runs, then stops", "he/PRON run/VERB"),
    )
    np.testing.assert_array_equal(clip.features, features)
    assert clip.joints is None


def test_captions_with_times_make_clips_of_their_own(folder):
    text = f"jumps#jump/VERB#1.03#4.5\nhops#hop/VERB#1.03#4.5\nsits#sit/VERB#3.0#8.0\n{WHOLE}"
    features = folder.clip("M000002", frames=150, text=text)
    clips = clips_of(folder)
    assert list(clips) == ["M000002", "M000002@1.03-4.5", "M000002@3-8"]
    assert [caption.text for caption in clips["M000002@1.03-4.5"].captions] == ["jumps", "hops"]
    np.testing.assert_array_equal(clips["M000002@1.03-4.5"].features, features[20:90])
    np.testing.assert_array_equal(clips["M000002@3-8"].features, features[60:150])
    assert clips["M000002"].captions == (Caption("a person walks", "a/DET person/NOUN walk/VERB"),)


def test_clip_without_a_caption_about_all_of_it_is_only_its_parts(folder):
    folder.clip("000003", frames=150, text="sits#sit/VERB#3.0#7.0")
    assert list(clips_of(folder)) == ["000003@3-7"]


def test_times_count_at_the_frame_rate_of_the_data(folder):
    features = folder.clip("000004", frames=150, text="sits#sit/VERB#2.0#6.0")
    clip = clips_of(folder, fps=12.5, min_frames=24)["000004@2-6"]
    np.testing.assert_array_equal(clip.features, features[25:75])


def test_published_features_are_not_resampled(folder):
    with pytest.raises(UserError, match=r"data\.fps=30: these features are published at 20 frames"):
        clips_of(folder, fps=30.0, files_fps=20.0)
    assert HumanML3DSource(str(folder.path), fps=30.0, files_fps=30.0).fps == 30.0


@pytest.mark.parametrize(("frames", "used"), [(39, False), (40, True), (199, True), (200, False)])
def test_lengths_that_are_used_are_those_of_the_original_loader(folder, frames, used):
    folder.clip("000005", frames=frames)
    item = clips_of(folder)["000005"]
    assert isinstance(item, BadClip) != used
    if not used:
        assert f"{frames} frames" in item.reason


def test_sub_clip_too_short_is_named_and_the_clip_stays(folder):
    folder.clip("000006", text=f"{WHOLE}\nsteps#step/VERB#1.0#1.5\nturns#turn/VERB#5.0#nan")
    clips = clips_of(folder)
    assert "too short: 10 frames" in clips["000006@1-1.5"].reason
    assert "too short: 0 frames" in clips["000006@5-0"].reason
    assert not isinstance(clips["000006"], BadClip)


def test_millimetres_become_metres_and_normalised_features_stay(tmp_path):
    folder = Folder(tmp_path / "kit", features=251)
    features = folder.clip("00001", frames=30)
    mean, std = np.arange(251, dtype=np.float32), np.arange(1, 252, dtype=np.float32)
    np.save(folder.path / "Mean.npy", mean)
    np.save(folder.path / "Std.npy", std)
    settings = {"skeleton": "kit", "fps": 12.5, "min_frames": 24, "millimetres": True}
    source = HumanML3DSource(str(folder.path), **settings)
    store = build_store(source, tmp_path / "s", progress=False)
    assert (store.n_features, store.lengths[0], store.fps) == (251, 30, 12.5)
    lengths = [1, 2, 3, 4, 63, 184, 246]
    ratios = [0, 64, 183, 247, 250]
    np.testing.assert_allclose(
        store.features(0)[:, lengths], features[:, lengths] / 1000, rtol=1e-6
    )
    np.testing.assert_array_equal(store.features(0)[:, ratios], features[:, ratios])
    np.testing.assert_allclose(
        (store.features(0) - store.mean) / store.std, (features - mean) / std, rtol=1e-3, atol=1e-5
    )


def test_published_statistics_are_used(folder, tmp_path):
    folder.clip("000007")
    data = shared("parity", "data")
    for name in ("Mean", "Std"):
        content = (data / f"HumanML3D_{name}.npy").read_bytes()
        (folder.path / f"{name}.npy").write_bytes(content)
    store = build_store(HumanML3DSource(str(folder.path)), tmp_path / "s", progress=False)
    np.testing.assert_array_equal(store.mean, np.load(data / "HumanML3D_Mean.npy"))
    np.testing.assert_array_equal(store.std, np.load(data / "HumanML3D_Std.npy"))


def test_motiongpt_normalisation_is_near_the_published_one(folder, tmp_path):
    folder.clip("000007")
    data = shared("parity", "data")
    for name in ("Mean", "Std"):
        content = (data / f"HumanML3D_{name}.npy").read_bytes()
        (folder.path / f"{name}.npy").write_bytes(content)
    source = HumanML3DSource(str(folder.path))
    store = build_store(source, tmp_path / "s", progress=False, normalisation="motiongpt")
    np.testing.assert_allclose(store.std, np.load(data / "MotionGPT_std.npy"), rtol=0.015)


@pytest.mark.parametrize("broken", ["width", "zero", "no array", "one missing"])
def test_broken_published_statistics_are_refused(folder, tmp_path, broken):
    folder.clip("000008")
    np.save(folder.path / "Mean.npy", np.zeros(263))
    if broken == "width":
        np.save(folder.path / "Std.npy", np.ones(251))
    elif broken == "zero":
        np.save(folder.path / "Std.npy", np.zeros(263))
    elif broken == "no array":
        (folder.path / "Std.npy").write_text("?")
    with pytest.raises(UserError, match=r"Std\.npy.*remove"):
        build_store(HumanML3DSource(str(folder.path)), tmp_path / "s", progress=False)


def test_missing_folder_is_named_with_how_to_get_it(tmp_path):
    source = HumanML3DSource(str(tmp_path / "nowhere"), how_to_get="make it with the notebooks")
    with pytest.raises(UserError, match=r"nowhere; make it with the notebooks.*data\.source\.path"):
        len(source)


def test_folder_without_a_part_names_the_part(folder):
    folder.clip("000009")
    (folder.path / "val.txt").unlink()
    with pytest.raises(UserError, match=r"has no val\.txt"):
        list(HumanML3DSource(str(folder.path)).clips())


def test_real_clip_with_public_lists(tmp_path):
    data, lists = shared("parity", "data"), shared("data", "humanml3d_splits")
    folder = Folder(tmp_path / "HumanML3D")
    features = np.load(data / "012314_new_joint_vecs.npy")
    folder.clip("012314", features=features)
    store = build_store(HumanML3DSource(str(folder.path)), tmp_path / "s", progress=False)
    joints = np.load(data / "012314_new_joints.npy")
    np.testing.assert_array_equal(store.features(0), features)
    found = features_to_joints(torch.from_numpy(store.features(0)), store.skeleton)
    np.testing.assert_allclose(found, joints, atol=1e-4)
    for split in ("train", "val", "test"):
        (folder.path / f"{split}.txt").write_text((lists / f"{split}.txt").read_text())
    source = HumanML3DSource(str(folder.path))
    assert source.listed_counts() == {"train": 23384, "val": 1460, "test": 4384}
    assert isinstance(source, MotionSource)
