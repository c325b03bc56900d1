"""Training that starts from the weights of a finished run: `experiment=own_capture init_from=RUN`."""

import shutil

import numpy as np
import pytest
import torch

from launch.composition.compose import compose_config
from launch.composition.signatures import signature
from motiongpt.api.opening import part_folders
from motiongpt.codecs.vq_vae.starting import start_from
from motiongpt.data.build import build_store
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.data.windows import FeatureWindows
from motiongpt.errors import UserError
from tests.unit.test_api_opening import root  # noqa: F401  (a fixture: runs of a whole method)
from tests.unit.tiny_models import tiny_model_folder, tiny_tokenizer

OWN = ("experiment=own_capture",)


def stages(*overrides):
    from omegaconf import OmegaConf

    config = compose_config([*OWN, *overrides])
    return {
        name: OmegaConf.to_container(config.stage[name], resolve=True)
        for name in ("tokenizer", "pretrain", "instruct")
    }


def signed(settings):
    return signature("tokenizer", settings, "f", {})


def test_weights_and_statistics_are_those_of_the_trained_one(tmp_path):
    trained = tiny_tokenizer()
    trained.save(tmp_path)
    fresh = tiny_tokenizer().tokenizer
    with torch.no_grad():
        for parameter in fresh.parameters():
            parameter.add_(1.0)
    mean, std = start_from(tmp_path, fresh)
    np.testing.assert_array_equal(mean, trained.mean)
    np.testing.assert_array_equal(std, trained.std)
    for name, tensor in fresh.state_dict().items():
        torch.testing.assert_close(tensor, trained.tokenizer.state_dict()[name])


def test_other_sizes_are_refused_with_the_options_that_fit(tmp_path):
    tiny_tokenizer().save(tmp_path)
    with pytest.raises(UserError, match=r"run with tokenizer\.codebook_size=16") as caught:
        start_from(tmp_path, tiny_tokenizer(codes=32).tokenizer)
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="nothing_here"):
        start_from(tmp_path / "nothing_here", tiny_tokenizer().tokenizer)


def test_windows_are_normalised_as_asked(tmp_path):
    store = build_store(SyntheticSource(clips=12), tmp_path, progress=False)
    statistics = np.zeros(263, np.float32), np.full(263, 2.0, np.float32)
    own, other = (FeatureWindows(store, 64, statistics=one) for one in (None, statistics))
    raw = other[0, 0][0].numpy() * 2.0
    np.testing.assert_allclose(own[0, 0][0], (raw - store.mean) / store.std, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("where", ["", "runs/instruct/i1", "runs/generate/g1"])
def test_parts_are_found_in_runs_and_roots(root, where):  # noqa: F811
    found = part_folders(root / where)
    assert found == {
        "codec": root / "runs/tokenizer/t1/model",
        "language_model": root / "runs/instruct/i1/model",
    }


def test_a_run_is_signed_by_its_weights_alone(root, tmp_path):  # noqa: F811
    here = stages(f"init_from={root}")
    assert here["tokenizer"]["init_from"] == str(root / "runs/tokenizer/t1/model")
    assert here["pretrain"]["init_from"] == str(root / "runs/instruct/i1/model")
    assert "init_from" not in here["instruct"]
    first = signed(here["tokenizer"])
    assert first != signed(stages()["tokenizer"])
    (root / "runs/tokenizer/t1/log.txt").write_text("more")
    moved = tmp_path / "elsewhere"
    shutil.copytree(root / "runs", moved / "runs")
    assert signed(stages(f"init_from={moved}")["tokenizer"]) == first
    folder = tiny_model_folder(tmp_path / "folder")
    assert signed(stages(f"init_from={folder}")["tokenizer"]) == first  # the same weights
    tiny_tokenizer(codes=8).save(moved / "runs/tokenizer/t1/model")
    assert signed(stages(f"init_from={moved}")["tokenizer"]) != first


def test_without_a_run_nothing_is_started_from():
    found = stages()
    assert found["tokenizer"]["init_from"] is None and found["pretrain"]["init_from"] is None
    plain = compose_config([])
    assert all("init_from" not in plain.stage[name] for name in ("tokenizer", "pretrain"))
    with pytest.raises(UserError, match="init_from"):
        compose_config(["init_from=outputs"])
    with pytest.raises(UserError, match="init_from"):
        compose_config([*OWN, "method=lookup", "init_from=outputs"])


def test_a_run_that_is_none_is_one_line(tmp_path):
    with pytest.raises(UserError, match="nothing to open") as caught:
        compose_config([*OWN, f"init_from={tmp_path}"])
    assert "\n" not in str(caught.value)


def test_other_sizes_are_told_before_anything_runs(root):  # noqa: F811
    from launch.composition.build import build
    from motiongpt.preflight import Outlook

    settings = stages(f"init_from={root}")["tokenizer"]
    keys = ("parents", "version", "hardware", "_unsigned_", "_by_content_")
    stage = build(
        {key: value for key, value in settings.items() if key not in keys}, _recursive_=False
    )
    with pytest.raises(UserError, match=r"init_from: .* run with .*tokenizer\.codebook_size=16"):
        stage.preflight(Outlook())
