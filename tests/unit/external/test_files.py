"""Names of files: clips, draws, what is missing and what is too much."""

import json
import shutil

import numpy as np
import pytest

from evaluation.external.layout import find_files, laid_out
from evaluation.external.samples import write_samples
from evaluation.requests.predictions import PredictionSet
from motiongpt.errors import UserError
from tests.unit.external.parts import about_of, read, write_features, write_joints


def refused(words, *args, **options):
    with pytest.raises(UserError, match=words) as caught:
        read(*args, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["{{}}_{}.npy", "{}/{{}}.npy", "draw_{}/{{}}.npy"])
def test_draws_are_numbered_or_in_folders_and_become_replications(name, bench, tmp_path):
    for draw in (10, 2):
        write_joints(tmp_path / "p", bench, lambda j, n=draw: j[: 20 + n], name=name.format(draw))
    external, found = read(tmp_path / "p", bench, tmp_path, fps=20.0)
    assert external.said["draws"] == "2" and found.about.seeds == [0, 1]
    assert {len(one) for one in found.read(0, 263).motions} == {22}, "2 comes before 10"
    assert {len(one) for one in found.read(1, 263).motions} == {30}


def test_more_draws_than_replications_are_left_and_one_serves_all(bench, tmp_path):
    for draw in range(3):
        write_joints(tmp_path / "p", bench, name=f"{{}}_{draw}.npy")
    external, found = read(tmp_path / "p", bench, tmp_path)
    assert external.said["draws"].startswith("3, the first 2 are used")
    assert len(found.about.seeds) == 2
    external, found = read(write_joints(tmp_path / "q", bench), bench, tmp_path)
    assert external.said["draws"] == "1: the same motions in all 2 replications"
    assert len(found.about.seeds) == 1


def test_a_clip_whose_own_name_ends_in_a_number_is_no_draw(tmp_path):
    names = ["walk_001", "walk_002", "a__b"]
    for file in ("walk_001.npy", "walk_002_1.npy", "a/b.npy"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        np.save(tmp_path / file, np.zeros(1))
    found = laid_out(tmp_path, find_files(tmp_path, {".npy"}), names, names)
    assert {draw: sorted(clips) for draw, clips in found.draws.items()} == {
        "": ["a__b", "walk_001"],
        "1": ["walk_002"],
    }


def test_missing_clips_are_named_and_may_be_left_out(bench, tmp_path):
    folder = write_joints(tmp_path / "p", bench, clips=bench.names[2:])
    refused("2 of 10 predictions are missing .*000000, 000001.*--partial", folder, bench, tmp_path)
    external, found = read(folder, bench, tmp_path, partial=True)
    assert external.said["clips"] == "8 of 10 asked about"
    assert found.about.clips == bench.names[2:] and len(found.about.frames) == 8


def test_files_of_no_clip_and_of_other_clips_are_told_apart(bench, tmp_path):
    folder = write_joints(tmp_path / "p", bench)
    np.save(folder / "train0.npy", bench.joints(bench.names[0]))
    assert "1 files" in read(folder, bench, tmp_path)[0].said["left aside"]
    np.save(folder / "unheard_of.npy", bench.joints(bench.names[0]))
    refused("called as no clip of the data .unheard_of.npy", folder, bench, tmp_path)
    read(folder, bench, tmp_path, partial=True)


def test_a_folder_of_wrong_clips_says_which_names_it_expects(bench, tmp_path):
    folder = write_joints(tmp_path / "p", bench, name="x{}.npy")
    refused("no file is called as a clip.*x000000.npy.*such as 000000", folder, bench, tmp_path)
    refused("no such folder", tmp_path / "none", bench, tmp_path)
    (tmp_path / "empty").mkdir()
    refused("no file that ends in .bvh, .npy, .npz", tmp_path / "empty", bench, tmp_path)
    only = write_joints(tmp_path / "t", bench, name="train0.npy", clips=bench.names[:1])
    refused("not asked about.*another split", only, bench, tmp_path)


def test_two_files_of_one_clip_are_refused(bench, tmp_path):
    folder = write_joints(tmp_path / "p", bench)
    shutil.copy(folder / "000000.npy", folder / "000000.NPY")
    refused("both of clip 000000", folder, bench, tmp_path)


def test_files_of_several_endings_need_a_choice(bench, tmp_path):
    folder = write_joints(tmp_path / "p", bench)
    (folder / "000000.bvh").write_text("HIERARCHY")
    refused("10 .npy files; say which by --form: .*joints", folder, bench, tmp_path)
    assert read(folder, bench, tmp_path, form="joints")[0].said["form"] == "joints"


def test_an_unknown_shape_is_answered_with_the_known_ones(bench, tmp_path):
    folder = write_joints(tmp_path / "p", bench, lambda joints: joints[:, :17])
    refused(r"shape \(44, 17, 3\).*known are .*features: ", folder, bench, tmp_path)


def test_nan_is_named_by_clip_and_frame(bench, tmp_path):
    folder = write_features(tmp_path / "p", bench)
    rows = np.load(folder / "000007.npy")
    rows[5, 7] = np.nan
    np.save(folder / "000007.npy", rows)
    refused("000007.*NaN or infinity in 1 of .* first in frame 5", folder, bench, tmp_path)


def test_a_file_after_those_that_are_looked_at_is_read_too(bench, tmp_path, monkeypatch):
    monkeypatch.setattr("evaluation.external.reading.LOOKED_AT", 2)
    folder = write_features(tmp_path / "p", bench)
    np.save(folder / "000004.npy", np.zeros((0, 263), np.float32))
    np.save(folder / "000005.npy", np.zeros((9, 17), np.float32))
    refused("2 of 10 files can't be used: 000004 .too short.*000005", folder, bench, tmp_path)


def test_a_clip_that_no_features_can_be_made_of_is_named_alone(bench, tmp_path):
    folder = write_joints(tmp_path / "p", bench)
    joints = np.load(folder / "000006.npy")
    for left, right in ((1, 2), (16, 17)):  # hips and shoulders above each other: no heading
        joints[:, right] = joints[:, left] + np.float32([0, 0.1, 0])
    np.save(folder / "000006.npy", joints)
    refused("1 of 10 files can't be used: 000006 .*no heading", folder, bench, tmp_path)


def test_captions_that_asked_are_the_first_or_those_that_a_file_names(bench, tmp_path):
    folder = write_joints(tmp_path / "p", bench)
    external, found = read(folder, bench, tmp_path)
    assert "first of each clip" in external.said["captions"]
    assert found.read(0, 263).captions == [0] * 10
    given = dict.fromkeys(bench.names, 2)
    given["000003"] = bench.store.captions(list(bench.store.names).index("000003"))[1].text
    (folder / "captions.json").write_text(json.dumps(given))
    external, found = read(folder, bench, tmp_path)
    assert found.read(0, 263).captions == [2, 2, 2, 1, 2, 2, 2, 2, 2, 2]
    for wrong, words in (
        ({}, "no caption of clip 000000"),
        ({**given, "000002": 3}, "'3' is no caption of clip 000002"),
        ({**given, "000002": True}, "'True' is no caption"),
        ({**given, "000002": "dances"}, "'dances' is no caption of clip 000002"),
        ({**given, "000002": []}, "0 captions of clip 000002, draw 1 has none"),
        ([], "no JSON of captions"),
    ):
        (folder / "captions.json").write_text(json.dumps(wrong))
        refused(words, folder, bench, tmp_path)


def test_draws_of_one_caption_are_samples_of_it(bench, tmp_path):
    for draw in range(2):
        write_joints(tmp_path / "p", bench, lambda j, n=draw: j[n:], name=f"{{}}_{draw}.npy")
    folder = tmp_path / "p"
    captions = {clip: [1, 1] for clip in bench.names} | {"000001": [0, 1]}
    (folder / "captions.json").write_text(json.dumps(captions))
    _, saved = read(folder, bench, tmp_path)
    asked = about_of(
        bench,
        kind="samples",
        clips=bench.names[:3],
        frames=[40] * 3,
        given=[(0, 0)] * 3,
        samples=30,
    )
    found = write_samples(saved, asked, tmp_path / "samples", 263)
    assert found.about.clips == ["000000", "000002"] and found.about.samples == 2
    outputs = PredictionSet.open(tmp_path / "samples").read(0, 263)
    assert outputs.captions == [1] * 4
    first = [saved.read(draw, 263).motions[0] for draw in range(2)]
    for mine, real in zip(outputs.motions[:2], first, strict=True):
        np.testing.assert_array_equal(mine, real)
    _, alone = read(write_joints(tmp_path / "q", bench), bench, tmp_path)
    assert write_samples(alone, asked, tmp_path / "none", 263) is None
