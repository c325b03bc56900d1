import copy
import subprocess
import sys

import pytest
import torch
from transformers.activations import NewGELUActivation

from motiongpt.backbones.activations import fuse_activations
from motiongpt.backbones.gpt2 import GPT2Backbone
from motiongpt.backbones.t5 import T5Backbone
from motiongpt.methods.motiongpt.training.language_batch import collate_parts
from tests.unit.test_accumulation import EXAMPLES, backbone_of

COUNT = """
import resource, sys, torch
from motiongpt.allocation import keep_freed_memory
torch.set_num_threads(1)
if sys.argv[1] == "kept":
    assert keep_freed_memory()
values = torch.rand(2**21)  # 8 MiB
def work():
    return [values + 1 for _ in range(8)]
for _ in range(5):
    work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def old_activations(model):
    for module in model.modules():
        if hasattr(module, "act"):
            module.act = NewGELUActivation()


@pytest.mark.parametrize("kind", [T5Backbone, GPT2Backbone])
def test_a_fused_activation_gives_the_same_loss_and_gradients(kind):
    fused = backbone_of(kind)
    assert not any(isinstance(part, NewGELUActivation) for part in fused.modules())
    apart = copy.deepcopy(fused)
    old_activations(apart.language_model)
    losses = [one.loss(collate_parts(EXAMPLES, one).parts[0]) for one in (fused, apart)]
    torch.testing.assert_close(losses[0], losses[1], rtol=1e-6, atol=0)
    for loss in losses:
        loss.backward()
    found, expected = (
        {name: value.grad for name, value in one.named_parameters()} for one in (fused, apart)
    )
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)
    fuse_activations(apart.language_model)
    assert not any(isinstance(part, NewGELUActivation) for part in apart.modules())


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's memory")
def test_kept_memory_is_not_asked_for_again():
    def faults(way):
        command = [sys.executable, "-c", COUNT, way]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert faults("kept") < 0.5 * faults("default")
