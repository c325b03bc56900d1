"""A folder of AMC files as a motion source."""

import json

import numpy as np
import pytest

from launch.composition.build import build
from launch.composition.compose import compose_config
from motiongpt.data.asf_amc.folder import AsfAmcFolderSource
from motiongpt.data.asf_amc.reading import amc_to_joints
from motiongpt.data.build import build_store
from motiongpt.data.clip import BadClip, Clip
from motiongpt.errors import UserError
from tests.unit.asf_amc_text import amc, asf
from tests.unit.bvh_text import write


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "29.asf", asf())
    for seed, name in enumerate(("29_01", "sub/29_02")):
        write(tmp_path / f"{name}.amc", amc(122, seed))
    lines = [
        {"file": "29_01.amc", "caption": "a person walks", "split": "train"},
        {"file": "sub/29_02", "caption": ["a person turns", "turning"], "split": "test"},
    ]
    write(tmp_path / "captions.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


def clips_of(folder, **settings):
    source = AsfAmcFolderSource(str(folder), "captions.jsonl", **settings)
    return {item.name: item for item in source.clips()}


def test_clips_with_captions_and_the_rate_that_is_taken(folder, caplog):
    clips = clips_of(folder)
    assert list(clips) == ["29_01", "sub__29_02"]
    assert clips["29_01"].joints.shape == (21, 22, 3) and clips["29_01"].split == "train"
    assert [one.text for one in clips["sub__29_02"].captions] == ["a person turns", "turning"]
    expected = amc_to_joints(folder / "29_01.amc", folder / "29.asf", 120.0)
    np.testing.assert_array_equal(clips["29_01"].joints, expected)
    (line,) = caplog.messages
    assert (
        line
        == "AMC files tell no frame rate: 120 frames per second are taken (data.source.files_fps)"
    )
    assert clips_of(folder, files_fps=60.0)["29_01"].joints.shape == (41, 22, 3)


def test_the_nearest_skeleton_of_the_name_is_taken(folder):
    big = asf(units=":units\n length 0.36\n angle deg\n")
    write(folder / "sub" / "29.asf", big)
    clips = clips_of(folder)
    sizes = {name: np.ptp(clip.joints[0], axis=0).max() for name, clip in clips.items()}
    assert 1.2 < sizes["sub__29_02"] / sizes["29_01"] < 1.3
    write(folder / "sub" / "29_02.asf", asf())
    (folder / "29.asf").unlink()
    assert isinstance(clips_of(folder)["29_01"], Clip)  # 29.asf, though it lies elsewhere
    write(folder / "one.asf", big)
    given = clips_of(folder, asf="one.asf")
    assert np.ptp(given["29_01"].joints[0], axis=0).max() > 1.2 * sizes["29_01"]


def test_the_only_skeleton_serves_all_and_none_is_named(folder):
    (folder / "29.asf").rename(folder / "actor.asf")
    assert all(isinstance(clip, Clip) for clip in clips_of(folder).values())
    (folder / "actor.asf").unlink()
    bad = clips_of(folder)["29_01"]
    assert isinstance(bad, BadClip)
    assert bad.reason.startswith("no skeleton of 29_01.amc: expected 29_01.asf or 29.asf in ")


def test_files_that_cannot_be_used_are_bad_clips(folder):
    write(folder / "29_01.amc", amc(122).replace("ltibia", "stone", 1))
    bad = clips_of(folder)["29_01"]
    assert isinstance(bad, BadClip) and "29_01.amc:" in bad.reason and "stone" in bad.reason
    write(folder / "29.asf", asf().replace("length 0.45", "length 0.0045"))
    assert "a body of" in clips_of(folder)["sub__29_02"].reason


def test_settings_that_cannot_be_used(folder):
    with pytest.raises(UserError, match=r"data.source.files_fps=0: expected a number above zero"):
        clips_of(folder, files_fps=0)
    with pytest.raises(UserError, match=r"data.source.asf=none.asf: no such file"):
        clips_of(folder, asf="none.asf")
    with pytest.raises(UserError, match=r"no .amc file in .*; pass the folder of your AMC files"):
        len(AsfAmcFolderSource(str(write(folder / "a" / "b.bvh", "").parent), None))


def test_a_store_is_made_of_it_and_its_files_are_known(folder, tmp_path):
    config = compose_config(["data=asf_amc_folder", f"data.source.path={folder}"])
    source = build(config.data.source)
    assert {"29_01.amc", "sub/29_02.amc", "29.asf", "captions.jsonl"} <= set(source.files())
    store = build_store(source, tmp_path / "store", progress=False)
    assert store.counts() == {"train": 1, "val": 0, "test": 1}
    assert store.lengths.tolist() == [20, 20]
