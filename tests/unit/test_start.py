"""What fine-tuning starts from: weights, statistics, and one line about what does not fit."""

import pickle

import numpy as np
import pytest
import torch
from torch import nn

from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.data.build import build_store
from motiongpt.data.store import MotionStore
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.data.windows import FeatureWindows
from motiongpt.errors import UserError
from motiongpt.methods.network_folder import NetworkFolder
from motiongpt.training.start import Start
from tests.unit.tiny_models import tiny_tokenizer

FOLDER = NetworkFolder("mine", "network", "network", "no such file")
PREFIX = TrainedTokenizer.files.prefix


class Tied(nn.Module):
    """Two layers, of which the second is the first again where they are tied."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.table = nn.Linear(width, width)
        self.output = nn.Linear(width, width)
        self.output.weight = self.table.weight

    def arguments(self) -> dict[str, int]:
        return {"width": len(self.table.weight)}


def saved(network, folder, *left_out):
    FOLDER.save(network, network.arguments(), folder, left_out or ["output.weight"])
    return Start(folder)


def test_without_a_run_nothing_is_loaded():
    network = Tied()
    before = network.table.weight.clone()
    Start().load(network)
    torch.testing.assert_close(network.table.weight, before)
    assert Start().statistics() is None


@pytest.mark.parametrize("left_out", ["output.weight", "table.weight"])
def test_all_weights_are_those_of_the_run(tmp_path, left_out):
    trained, fresh = Tied(), Tied()
    saved(trained, tmp_path, left_out).load(fresh)
    for name, tensor in trained.state_dict().items():
        torch.testing.assert_close(fresh.state_dict()[name], tensor, rtol=0, atol=0)
    assert fresh.output.weight is fresh.table.weight


def test_a_codec_comes_with_its_statistics(tmp_path):
    trained = tiny_tokenizer()
    trained.save(tmp_path)
    fresh = tiny_tokenizer().tokenizer
    with torch.no_grad():
        for parameter in fresh.parameters():
            parameter.add_(1.0)
    start = Start(tmp_path)
    start.load(fresh, PREFIX)
    for name, tensor in fresh.state_dict().items():
        torch.testing.assert_close(tensor, trained.tokenizer.state_dict()[name])
    mean, std = start.statistics()
    np.testing.assert_array_equal(mean, trained.mean)
    np.testing.assert_array_equal(std, trained.std)


def test_statistics_lie_beside_a_network_or_nowhere(tmp_path):
    start = saved(Tied(), tmp_path)
    assert start.statistics() is None
    for number, name in enumerate(("mean", "std"), start=1):
        np.save(tmp_path / f"{name}.npy", np.full(5, number, np.float32))
    mean, std = start.statistics()
    assert (mean[0], std[0]) == (1.0, 2.0)


def test_the_first_tensor_that_differs_is_named_in_one_line(tmp_path):
    start = saved(Tied(4), tmp_path)
    with pytest.raises(UserError) as caught:
        start.load(Tied(8))
    said = str(caught.value)
    assert said == (
        f"init_from: {tmp_path}: output.bias: expected shape (8,), found shape (4,); "
        "2 more weights don't fit; it was made with width=4"
    )


def test_a_tensor_that_is_nowhere_in_the_file_is_missed(tmp_path):
    start = saved(Tied(), tmp_path, "output.weight", "table.weight")
    with pytest.raises(UserError, match="output.weight: expected shape .*, found no such weight"):
        start.load(Tied())


def test_a_folder_without_weights_is_said(tmp_path):
    with pytest.raises(UserError, match="init_from: .*: no weights"):
        Start(tmp_path).load(Tied())


def test_a_stage_that_asked_for_nothing_is_refused(tmp_path):
    start = Start(tmp_path)
    with pytest.raises(UserError, match="stage mine: it can't start from other weights"):
        start.check_used("mine")
    assert start.take() == tmp_path
    start.check_used("mine")


def test_a_store_keeps_other_statistics_in_the_processes_that_read_it(tmp_path):
    store = build_store(SyntheticSource(clips=8), tmp_path, progress=False)
    mean, std = np.zeros(263, np.float32), np.full(263, 2.0, np.float32)
    other = store.normalised_by(mean, std)
    again: MotionStore = pickle.loads(pickle.dumps(other))
    for one in (other, again):
        np.testing.assert_array_equal(one.mean, mean)
        np.testing.assert_array_equal(one.std, std)
        np.testing.assert_array_equal(one.features(0), store.features(0))
    assert store.std[0] != 2.0
    with pytest.raises(UserError, match="263 features a frame, the statistics are of 5"):
        store.normalised_by(np.zeros(5, np.float32), np.ones(5, np.float32))


def test_windows_are_normalised_by_the_statistics_of_the_store(tmp_path):
    store = build_store(SyntheticSource(clips=12), tmp_path, progress=False)
    mean, std = np.zeros(263, np.float32), np.full(263, 2.0, np.float32)
    own, other = (FeatureWindows(one, 64) for one in (store, store.normalised_by(mean, std)))
    raw = other[0, 0][0].numpy() * 2.0
    np.testing.assert_allclose(own[0, 0][0], (raw - store.mean) / store.std, rtol=1e-4, atol=1e-4)
