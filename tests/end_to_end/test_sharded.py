"""Weights shared out over two processes (FSDP) give what one process gives, as DDP does.

With the tolerances of `test_distributed`, and for its reasons. A run that was stopped ends, with
the same processes, with the same bits.
"""

import json
import shutil

import pytest
import torch

from motiongpt.backbones.loading import load_backbone
from motiongpt.training.checkpoints import CHECKPOINT
from tests.end_to_end.stages import STEPS, curve, ended, run_stage, small_store
from tests.end_to_end.test_distributed import assert_close, assert_same_weights
from tests.together import run_together
from tests.unit.causal_folders import published

pytestmark = pytest.mark.slow
ROOM = ("backbone.max_input_tokens=96", "backbone.max_target_tokens=96")
ADAPTED = ("backbone=causal_lora", "backbone.lora.rank=4", "backbone.lora.dropout=0.0")
SMALLER = {"accumulate": 2, "checkpoint_activations": True}
# Trained language models by the name of their folder: what is published, overrides, hardware.
TRAINED = {
    "t5": (None, (), {}),
    "gpt2": (None, ("backbone=gpt2_tiny",), {}),
    "llama": ("llama", ("backbone=causal", *ROOM), {}),
    "qwen2": ("qwen2", ("backbone=causal", *ROOM), SMALLER),  # tied embeddings
    "lora": ("llama", (*ADAPTED, *ROOM), {}),
}
STOPPED = ("qwen2", "lora")


def _train(processes, root, name, folder, stop_in_step=None):
    kind, words, hardware = TRAINED[name]
    source = () if kind is None else (f"backbone.source={root / kind}",)
    parents = {stage: root / "1" / stage for stage in ("tokenizer", "tokens")}
    given = (processes, root / "store", folder, "pretrain", (*words, *source), parents)
    run_stage(*given, stop_in_step, strategy="fsdp", **hardware)


def _run_all(processes, root):
    """Train all with this many processes; parents are those that one process made."""
    mine = root / str(processes.world)
    run_stage(processes, root / "store", mine / "tokenizer", "tokenizer", strategy="fsdp")
    if processes.world == 1:
        parents = {"tokenizer": mine / "tokenizer"}
        run_stage(processes, root / "store", mine / "tokens", "tokens", (), parents)
    for name in TRAINED:
        _train(processes, root, name, mine / name)
    if processes.world == 1:
        parents |= {"tokens": mine / "tokens", "pretrain": mine / "lora"}
        run_stage(processes, root / "store", mine / "instruct", "instruct", (), parents)
        parents |= {"instruct": mine / "instruct"}
        run_stage(processes, root / "store", mine / "generate", "generate", (), parents)


def _stop(processes, root):
    for name in STOPPED:
        # Two processes are asked in different steps and stop after the same, the fifth.
        _train(processes, root, name, root / f"from_{processes.world}" / name, 5 - processes.rank)


def _go_on(processes, root, *parents):
    for parent in parents:
        for name in STOPPED:
            _train(processes, root, name, root / parent / name)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("sharded")
    small_store(root / "store", validation=9)  # 5 and 4 clips, so 2 batches and 1
    for kind in ("llama", "qwen2"):
        published(root / kind, kind)
    for world in (1, 2):
        run_together(world, _run_all, root)
    return root


@pytest.fixture(scope="module")
def resumed(root):
    for world in (1, 2):
        run_together(world, _stop, root)
        shutil.copytree(root / f"from_{world}", root / f"to_{3 - world}")
    run_together(1, _go_on, root, "from_1", "to_1")
    run_together(2, _go_on, root, "from_2", "to_2")
    return root


@pytest.mark.parametrize("name", [*TRAINED, "tokenizer"])
def test_losses_of_every_step_are_those_of_one_process(root, name):
    expected = curve(root / "1" / name)
    assert [line["step"] for line in expected] == list(range(1, STEPS + 1))
    for rank in (0, 1):
        found = curve(root / "2" / name, rank)
        assert_close(found[0], expected[0], 1e-6)
        for line, wanted in zip(found, expected, strict=True):
            assert_close(line, wanted, 1e-5)


@pytest.mark.parametrize("name", [*TRAINED, "tokenizer"])
def test_metrics_and_saved_weights_are_those_of_one_process(root, name):
    assert_close(ended(root / "2" / name), ended(root / "1" / name), 1e-5)
    assert ended(root / "2" / name, 0) == ended(root / "2" / name, 1)
    assert_same_weights(root / "2" / name, root / "1" / name)


@pytest.mark.parametrize("name", TRAINED)
def test_what_was_saved_is_a_backbone_as_one_process_saves_it(root, name):
    one, two = (load_backbone(root / world / name / "model") for world in ("1", "2"))
    assert two.state_dict().keys() == one.state_dict().keys()
    trained = [[weight.requires_grad for weight in made.parameters()] for made in (one, two)]
    assert trained[0] == trained[1]
    files = [
        {file.name for file in (root / world / name / "model").rglob("*")} for world in ("1", "2")
    ]
    assert files[0] == files[1]


@pytest.mark.parametrize("name", STOPPED)
@pytest.mark.parametrize("world", [1, 2])
def test_a_stopped_run_ends_with_the_same_bits(resumed, name, world):
    mine, undisturbed = resumed / f"from_{world}" / name, resumed / str(world) / name
    assert json.loads((mine / "progress.json").read_text())["resumed_at"] == 5
    found, expected = (load_backbone(one / "model").state_dict() for one in (mine, undisturbed))
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    assert ended(mine) == ended(undisturbed)


@pytest.mark.parametrize("name", STOPPED)
@pytest.mark.parametrize("world", [1, 2])
def test_a_run_goes_on_with_another_number_of_processes(resumed, name, world):
    mine = resumed / f"to_{world}" / name
    assert json.loads((mine / "progress.json").read_text())["resumed_at"] == 5
    assert_close(ended(mine), ended(resumed / "1" / name), 1e-5)
    assert_same_weights(mine, resumed / "1" / name)


@pytest.mark.parametrize("world", [1, 2])
def test_checkpoints_of_adapters_leave_out_what_stays(resumed, world):
    path = resumed / f"from_{world}" / "lora" / CHECKPOINT
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    assert all("lora_" in k or "trainable_tokens" in k for k in checkpoint["state_dict"])
    sizes = {name: tuple(value.shape) for name, value in checkpoint["state_dict"].items()}
    assert len(checkpoint["optimizer_states"][0]["state"]) <= len(sizes)
    assert path.stat().st_size < (resumed / "llama" / "model.safetensors").stat().st_size


def test_adapters_are_trained_further_and_generate(root):
    before, after = (load_backbone(root / "1" / name / "model") for name in ("lora", "instruct"))
    changed = [
        name
        for (name, old), new in zip(before.named_parameters(), after.parameters(), strict=True)
        if not torch.equal(old, new)
    ]
    assert changed and all("lora_" in name or "trainable_tokens" in name for name in changed)
    written = list((root / "1" / "generate" / "predictions").rglob("replication_*"))
    assert len(written) > 6 and ended(root / "1" / "generate")
