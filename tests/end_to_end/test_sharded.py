"""Weights shared out over two processes (FSDP) give what one process gives, as DDP does.

With the tolerances of `test_distributed`, and for its reasons. Runs that were stopped end, with the
same processes, with the same bits.
"""

import shutil

import pytest
import torch
from safetensors.torch import load_file

from motiongpt.backbones.loading import load_backbone
from tests.end_to_end.stages import STEPS, curve, ended, run_stage, small_store
from tests.end_to_end.test_distributed import assert_close, assert_same_weights
from tests.together import run_together
from tests.unit.causal_folders import published

pytestmark = pytest.mark.slow
ROOM = ("backbone.max_input_tokens=96", "backbone.max_target_tokens=96")
BACKBONES = {
    "t5": (),
    "gpt2": ("backbone=gpt2_tiny",),
    "llama": ("backbone=causal", *ROOM),
    "qwen2": ("backbone=causal", *ROOM),  # tied embeddings
    "lora": ("backbone=causal_lora", "backbone.lora.rank=4", *ROOM),
}
SHARED = {"strategy": "fsdp"}


def overrides(root, name):
    folder = root / ("llama" if name == "lora" else name)
    return (*BACKBONES[name], *([f"backbone.source={folder}"] if folder.is_dir() else []))


def parents(root):
    return {name: root / "1" / name for name in ("tokenizer", "tokens")}


def _run_all(processes, root):
    mine = root / str(processes.world)
    if processes.world == 1:
        for stage in ("tokenizer", "tokens"):
            run_stage(processes, root / "store", mine / stage, stage, (), parents(root))
    for name in BACKBONES:
        words = overrides(root, name)
        given = (root / "store", mine / name, "pretrain", words, parents(root))
        run_stage(processes, *given, accumulate=2 if name == "qwen2" else 1, **SHARED)
    if processes.world == 2:  # a stage of another network, as with DDP
        run_stage(processes, root / "store", mine / "tokenizer", "tokenizer", (), {}, **SHARED)


def _stop(processes, root, name, folder, step, **hardware):
    given = (root / "store", folder, "pretrain", overrides(root, name), parents(root))
    run_stage(processes, *given, stop_in_step=step, **hardware)


def _go_on(processes, root, name, folder, **hardware):
    _stop(processes, root, name, folder, None, **hardware)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("sharded")
    small_store(root / "store", validation=9)  # 5 and 4 clips, so 2 batches and 1
    for kind in ("llama", "qwen2"):
        published(root / kind, kind)
    for world in (1, 2):
        run_together(world, _run_all, root)
    return root


@pytest.mark.parametrize("name", [*BACKBONES, "tokenizer"])
def test_losses_of_every_step_are_those_of_one_process(root, name):
    expected = curve(root / "1" / name)
    assert [line["step"] for line in expected] == list(range(1, STEPS + 1))
    for rank in (0, 1):
        found = curve(root / "2" / name, rank)
        assert_close(found[0], expected[0], 1e-6)
        for line, wanted in zip(found, expected, strict=True):
            assert_close(line, wanted, 1e-5)


@pytest.mark.parametrize("name", [*BACKBONES, "tokenizer"])
def test_metrics_and_saved_weights_are_those_of_one_process(root, name):
    assert_close(ended(root / "2" / name), ended(root / "1" / name), 1e-5)
    assert ended(root / "2" / name, 0) == ended(root / "2" / name, 1)
    assert_same_weights(root / "2" / name, root / "1" / name)


@pytest.mark.parametrize("name", BACKBONES)
def test_what_was_saved_is_a_backbone_as_one_process_saves_it(root, name):
    one, two = (load_backbone(root / world / name / "model") for world in ("1", "2"))
    assert two.state_dict().keys() == one.state_dict().keys()
    assert [p.requires_grad for p in two.parameters()] == [p.requires_grad for p in one.parameters()]
    files = [
        {file.name for file in (root / world / name / "model").rglob("*")} for world in ("1", "2")
    ]
    assert files[0] == files[1]


@pytest.mark.parametrize("name", ["qwen2", "lora"])
def test_a_stopped_run_ends_with_the_same_bits(root, name):
    stopped = root / f"stopped_{name}"
    run_together(2, _stop, root, name, stopped, 4, **{})
    assert ended(stopped) == {"interrupted": 1.0}
