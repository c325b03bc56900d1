"""Damaged and hostile motion stores and saved predictions."""

import json
import shutil

import numpy as np
import pytest

from evaluation.requests.predictions import PredictionSet
from motiongpt.data.build import build_store
from motiongpt.data.store import MotionStore
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.errors import UserError
from tests.unit.hostile.arrays import NPY, claims, trapped
from tests.unit.hostile.harness import (
    ODD_FILES,
    bounded_memory,
    check_line,
    check_refused,
    run,
)
from tests.unit.hostile.json_texts import JSON

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    root = tmp_path_factory.mktemp("stores") / "store"
    build_store(SyntheticSource(clips=12, seed=1), root, progress=False)
    return root


@pytest.fixture
def store(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "store")


def broken_store(store, file):
    with bounded_memory(), pytest.raises(UserError) as caught:
        opened = MotionStore.open(store)
        for index in range(len(opened)):  # what a stage reads
            opened.features(index), opened.captions(index), opened.labels(index)
        _ = [*opened.names], opened.content_fingerprint()
    check_line(str(caught.value), [str(store)])


ARRAYS = (
    "features", "offsets", "lengths", "splits", "mean", "std", "names.bytes", "names.offsets",
    "captions.starts", "captions.offsets", "tokens.bytes", "labels.starts",
)  # fmt: skip
DAMAGE = (
    "empty",
    "header_cut",
    "content_cut",
    "frames_huge",
    "object",
    "text_array",
    "header_brackets",
    "five_axes",
)


@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_arrays_of_a_store_are_named(array, name, store):
    (store / f"{array}.npy").write_bytes(NPY[name])
    broken_store(store, array)


@pytest.mark.parametrize("array", ["features", "offsets", "captions.starts"])
@pytest.mark.parametrize("kind", ["fifo", "directory", "device", "gone"])
def test_what_is_no_array_of_a_store_is_named(array, kind, store):
    path = store / f"{array}.npy"
    path.unlink()
    ODD_FILES[kind](path)
    broken_store(store, array)


INDICES = {
    "offsets_negative": ("offsets", lambda a: a - 10**6),
    "offsets_beyond": ("offsets", lambda a: a + 10**15),
    "offsets_overflow": ("offsets", lambda a: a + np.iinfo(np.int64).max - 10),
    "lengths_negative": ("lengths", lambda a: -a),
    "lengths_floating": ("lengths", lambda a: a.astype(np.float32)),
    "lengths_bigger": ("lengths", lambda a: a * 10**6),
    "splits_unknown": ("splits", lambda a: a + 9),
    "names_backwards": ("names.offsets", lambda a: np.concatenate([a[::-1][:-1], a[-1:]])),
    "names_negative": ("names.offsets", lambda a: np.concatenate([[-5], a[1:]])),
    "names_floating": ("names.offsets", lambda a: a.astype(np.float64)),
    "starts_backwards": ("captions.starts", lambda a: np.concatenate([[a[-1] + 9], a[1:]])),
    "bytes_no_utf8": ("names.bytes", lambda a: np.full_like(a, 0xFF)),
    "bytes_wide": ("captions.bytes", lambda a: a.astype(np.float64)),
    "std_zero": ("std", lambda a: a * 0),
    "std_nan": ("std", lambda a: a * np.nan),
    "mean_infinite": ("mean", lambda a: a + np.inf),
    "mean_text": ("mean", lambda a: a.astype("U8")),
    "features_int": ("features", lambda a: a.astype(np.int8)),
    "features_complex": ("features", lambda a: a.astype(complex)),
}


@pytest.mark.parametrize("name", INDICES)
def test_arrays_that_do_not_fit_are_named(name, store):
    array, change = INDICES[name]
    path = store / f"{array}.npy"
    np.save(path, change(np.load(path)))
    broken_store(store, array)


HEADERS = {
    "fps_text": {"fps": "fast"},
    "fps_null": {"fps": None},
    "fps_zero": {"fps": 0},
    "fps_list": {"fps": [20]},
    "skeleton_list": {"skeleton": []},
    "skeleton_unknown": {"skeleton": "\x1b[2J"},
    "words_list": {"action_words": [1]},
    "words_number": {"action_words": {"walk": 5}},
    "rejected_number": {"rejected": 5},
    "rejected_short": {"rejected": [["a"]]},
    "format_list": {"format": [1]},
    "format_escape": {"format": "\x1b[2J"},
    "name_gone": {"name": None},
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_that_do_not_fit_are_named(name, store):
    path = store / "store.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | HEADERS[name]))
    broken_store(store, "store.json")


@pytest.mark.parametrize("name", JSON)
def test_damaged_headers_are_named(name, store):
    content = JSON[name]
    (store / "store.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    broken_store(store, "store.json")


@pytest.fixture
def predictions(tmp_path):
    about = {
        "task": "text_to_motion", "kind": "motion", "fingerprint": "f", "clips": ["a"],
        "frames": [4], "given": [[0, 0]], "samples": 1, "seeds": [1],
    }  # fmt: skip
    said = {"captions": [0], "prompts": ["walk"], "texts": [""], "lengths": [4]}
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "about.json").write_text(json.dumps(about))
    (folder / "replication_00.json").write_text(json.dumps(said))
    np.save(folder / "replication_00.npy", np.zeros((4, 263), np.float32))
    return folder


def broken_predictions(folder):
    with bounded_memory(), pytest.raises(UserError) as caught:
        PredictionSet.open(folder).read(0, 263)
    check_line(str(caught.value), [str(folder)])


def test_sound_predictions_are_read(predictions):
    assert PredictionSet.open(predictions).read(0, 263).motions[0].shape == (4, 263)


@pytest.mark.parametrize("file", ["about.json", "replication_00.json"])
@pytest.mark.parametrize("name", JSON)
def test_damaged_predictions_are_named(file, name, predictions):
    content = JSON[name]
    (predictions / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    broken_predictions(predictions)


VALUES = {
    "task": ("about.json", {"task": 5}),
    "fingerprint": ("about.json", {"fingerprint": None}),
    "clips": ("about.json", {"clips": [3]}),
    "frames": ("about.json", {"frames": [-4]}),
    "frames_words": ("about.json", {"frames": ["4"]}),
    "given": ("about.json", {"given": [[-1, 0]]}),
    "samples": ("about.json", {"samples": "a"}),
    "samples_none": ("about.json", {"samples": 0}),
    "seeds": ("about.json", {"seeds": [1.5]}),
    "captions": ("replication_00.json", {"captions": [1.5]}),
    "captions_below": ("replication_00.json", {"captions": [-2]}),
    "captions_words": ("replication_00.json", {"captions": ["a"]}),
    "prompts": ("replication_00.json", {"prompts": [1]}),
    "texts": ("replication_00.json", {"texts": [None]}),
    "lengths_below": ("replication_00.json", {"lengths": [-4]}),
    "lengths_words": ("replication_00.json", {"lengths": ["4"]}),
    "lengths_real": ("replication_00.json", {"lengths": [4.0]}),
    "lengths_huge": ("replication_00.json", {"lengths": [10**30]}),
}


@pytest.mark.parametrize("name", VALUES)
def test_values_of_another_type_in_predictions_are_named(name, predictions):
    file, change = VALUES[name]
    path = predictions / file
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    broken_predictions(predictions)


def test_motions_of_text_or_whole_numbers_are_named(predictions):
    for array in (np.full((4, 263), "a"), np.zeros((4, 263), int)):
        np.save(predictions / "replication_00.npy", array)
        broken_predictions(predictions)


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_motions_of_predictions_are_named(name, predictions):
    (predictions / "replication_00.npy").write_bytes(NPY[name])
    broken_predictions(predictions)


def test_nothing_in_a_store_or_predictions_is_executed(store, predictions, tmp_path):
    (store / "mean.npy").write_bytes(trapped(tmp_path))
    broken_store(store, "mean")
    (predictions / "replication_00.npy").write_bytes(trapped(tmp_path))
    broken_predictions(predictions)
    assert not (tmp_path / "executed").exists()


def test_show_says_what_is_damaged_in_one_line(store, tmp_path):
    from launch.composition.compose import compose_config
    from launch.composition.datasets import store_folder

    words = ["data=synthetic", f"paths.root={tmp_path / 'out'}"]
    there = store_folder(compose_config(words))
    shutil.copytree(store, there)
    (there / "offsets.npy").write_bytes(claims((10**12,), "<i8"))
    check_refused(run(["data", "show", *words]), [str(there)])
