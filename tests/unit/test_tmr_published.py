"""Files in TMR's layout, small and random, become an evaluator like any other."""

import shutil

import numpy as np
import pytest
import torch

from evaluation.evaluators.loading import load_evaluator
from evaluation.evaluators.tmr_networks import TMRNetworks, TMRSizes
from evaluation.evaluators.tmr_published import TMRPublished
from evaluation.evaluators.tmr_weights import (
    DECODER,
    DECODER_NAMES,
    find_statistics,
    find_weights,
    load_networks,
    load_statistics,
    our_name,
)
from motiongpt.data.build import build_store
from motiongpt.errors import UserError
from motiongpt.preflight import Outlook
from tests.unit.fake_source import FakeSource, feature_clip
from tests.unit.test_t2m_evaluator import Malicious
from tests.unit.test_tmr_evaluator import encoder_of

SIZES = TMRSizes(text_width=16, width=32, layers=2, heads=4, feed_forward=24, max_frames=60)
RELEASED = {ours: released for released, ours in DECODER_NAMES.items()}


def released(networks):
    """The weights under their released names, by network."""
    return {
        part: {
            ".".join([RELEASED.get(first, first) if part == DECODER else first, *rest]): tensor
            for name, tensor in getattr(networks, part).state_dict().items()
            for first, *rest in [name.split(".")]
        }
        for part in ("motion_encoder", "text_encoder", DECODER)
    }


@pytest.fixture
def networks():
    torch.manual_seed(0)
    return TMRNetworks(SIZES).eval()


@pytest.fixture
def folders(tmp_path, networks):
    weights, statistics = tmp_path / "tmr" / "last_weights", tmp_path / "stats"
    weights.mkdir(parents=True)
    statistics.mkdir()
    for part, state in released(networks).items():
        torch.save(state, weights / f"{part}.pt")
    torch.save(torch.zeros(263), statistics / "mean.pt")
    torch.save(torch.full((263,), 2.0), statistics / "std.pt")
    return weights.parent, statistics


@pytest.fixture
def store(tmp_path):
    clips = [feature_clip(f"c{i}", frames=20 + i, seed=i) for i in range(3)]
    return build_store(FakeSource(clips), tmp_path / "store", progress=False)


def a_reader(captions, seed, log):
    return encoder_of([["a man walks", "someone walks"], ["a man hops"]], 0, log)


def source(folders, **changes):
    weights, statistics = map(str, folders)
    settings = {"weights": weights, "statistics": statistics, "heads": 4, "max_frames": 60}
    return TMRPublished(**{"text_encoder": a_reader, **settings, **changes})


def make(store, folders, **changes):
    return source(folders, **changes).make(store, 0, lambda line: None)


@pytest.mark.parametrize(
    "junk",
    [
        {"name": "mean.npy", "array": np.full(263, "a")},
        {"name": "mean.npy", "array": np.full(263, np.nan)},
        {"name": "mean.pt", "tensor": torch.full((263,), torch.nan)},
        {"name": "mean.pt", "tensor": torch.zeros(263).to_sparse()},
        {"name": "mean.pt", "tensor": {"mean": torch.zeros(263)}},
        {"name": "std.pt", "tensor": torch.zeros(263)},
    ],
    ids=["text", "nan", "nan_pt", "sparse", "dictionary", "zero_std"],
)
def test_junk_statistics_are_one_line(folders, junk):
    _, statistics = folders
    if "array" in junk:
        (statistics / "mean.pt").unlink(), (statistics / "std.pt").unlink()
        np.save(statistics / "std.npy", np.ones(263))
        np.save(statistics / junk["name"], junk["array"])
    else:
        torch.save(junk["tensor"], statistics / junk["name"])
    with pytest.raises(UserError) as caught:
        load_statistics(statistics, 263)
    assert str(statistics) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [{1: torch.zeros(2)}, {"state_dict": 5}, {"a": "b"}, {}, b"anything", b""],
    ids=["numbers", "state_number", "words", "nothing", "junk", "empty"],
)
@pytest.mark.parametrize("name", ["last_weights/motion_encoder.pt", "last.ckpt"])
def test_junk_weights_are_one_line(folders, content, name):
    weights, _ = folders
    if name == "last.ckpt":
        shutil.rmtree(weights / "last_weights")
    path = weights / name
    path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
    with pytest.raises(UserError) as caught:
        load_networks(weights, 4, 60, 263, 16)
    assert "\n" not in str(caught.value)


def test_a_file_in_the_place_of_its_folder_says_so(folders):
    weights, statistics = folders
    with pytest.raises(UserError, match="evaluator.weights=.*motion_encoder.pt: a file; name the"):
        find_weights(weights / "last_weights" / "motion_encoder.pt")
    with pytest.raises(UserError, match="evaluator.statistics=.*mean.pt: a file; name the folder"):
        find_statistics(statistics / "mean.pt")


def test_every_weight_comes_to_its_place(store, folders, networks, tmp_path):
    made = make(store, folders)
    for name, tensor in networks.state_dict().items():
        torch.testing.assert_close(made.networks.state_dict()[name], tensor)
    assert made.networks.sizes == SIZES
    np.testing.assert_array_equal(made.std, np.full(263, 2, np.float32))
    made.save(tmp_path / "saved")
    loaded = load_evaluator(tmp_path / "saved")
    assert loaded.fingerprint == made.fingerprint
    clips = [store.features(i) for i in range(3)]
    np.testing.assert_array_equal(loaded.motion_embeddings(clips), made.motion_embeddings(clips))
    assert made.description["name"] == "tmr_published"


def test_a_whole_checkpoint_and_encoders_alone_are_read_too(store, folders, networks, tmp_path):
    state = {
        f"{part}.{name}": tensor
        for part, own in released(networks).items()
        for name, tensor in own.items()
    }
    whole = tmp_path / "run" / "logs" / "checkpoints"
    whole.mkdir(parents=True)
    torch.save(
        {"state_dict": {**state, "metrics.other": torch.ones(1)}, "epoch": 3}, whole / "last.ckpt"
    )
    first, other = make(store, folders), make(store, (tmp_path / "run", folders[1]))
    assert first.fingerprint == other.fingerprint
    (folders[0] / "last_weights" / "motion_decoder.pt").unlink()
    assert make(store, folders).networks.motion_decoder is None


def test_names_are_those_of_the_released_code():
    assert our_name("motion_decoder.final_layer.weight") == "motion_decoder.output.weight"
    assert our_name("motion_decoder.seqTransDecoder.layers.0.norm3.bias") == (
        "motion_decoder.transformer.layers.0.norm3.bias"
    )
    assert our_name("text_encoder.tokens") == "text_encoder.tokens"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"weights": None}, r"set evaluator\.weights=.*tmr_models\.tgz"),
        ({"statistics": None}, r"set evaluator\.statistics=.*mean\.pt"),
        ({"weights": "nowhere"}, r"evaluator\.weights=nowhere: no TMR here"),
        ({"statistics": "nowhere"}, r"evaluator\.statistics=nowhere: no mean\.pt"),
    ],
)
def test_what_is_not_there_is_said_ahead(folders, changes, said):
    with pytest.raises(UserError, match=said) as error:
        list(source(folders, **changes).preflight(Outlook()))
    assert "\n" not in str(error.value)


def test_other_widths_statistics_and_broken_files_are_refused(store, folders, tmp_path):
    weights, statistics = folders
    torch.save(torch.ones(251), statistics / "mean.pt")
    with pytest.raises(UserError, match=r"mean\.pt: expected 263 finite numbers"):
        make(store, folders)
    torch.save(torch.ones(263), statistics / "mean.pt")
    torch.save(torch.zeros(263), statistics / "std.pt")
    with pytest.raises(UserError, match="std: feature 0 is not > 0"):
        make(store, folders)
    torch.save(torch.ones(263), statistics / "std.pt")
    file = weights / "last_weights" / "motion_encoder.pt"
    state = torch.load(file, weights_only=True)
    torch.save({**state, "tokens": torch.zeros(2, 31)}, file)
    with pytest.raises(UserError, match="tokens: expected shape"):
        make(store, folders)
    torch.save({**state, "projection.weight": torch.zeros(32, 251)}, file)
    with pytest.raises(UserError, match="reads 251 features of a frame; here are 263"):
        make(store, folders)
    torch.save({**state, "evil": Malicious(tmp_path / "made")}, file)
    with pytest.raises(UserError):
        make(store, folders)
    assert not (tmp_path / "made").exists()
