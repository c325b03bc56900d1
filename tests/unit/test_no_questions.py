"""No training step asks the device for a number: on a GPU each question waits for all its work.

There may be no GPU here, so the operations are watched instead: those whose result the host must
see, or whose shape the content decides.
"""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from motiongpt.codecs.vq_vae.losses import TokenizerLosses
from motiongpt.codecs.vq_vae.network import VQVAE
from motiongpt.codecs.vq_vae.quantizers.ema import EMAQuantizer
from motiongpt.codecs.vq_vae.quantizers.ema_reset import EMAResetQuantizer
from motiongpt.codecs.vq_vae.quantizers.reset import ResetQuantizer
from motiongpt.codecs.vq_vae.quantizers.standard import StandardQuantizer
from motiongpt.codecs.vq_vae.window_batch import collate_whole_windows
from motiongpt.methods.motiongpt.training.language_batch import collate_parts
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit.test_accumulation import EXAMPLES, GPT2Backbone, T5Backbone, backbone_of

QUESTIONS = {
    "nonzero", "_local_scalar_dense", "item", "masked_select", "is_nonzero", "equal",
    "_unique2", "unique_dim", "unique_consecutive", "bincount", "_assert_async",
}  # fmt: skip


class Watching(TorchDispatchMode):
    """Notes the operations that a GPU would have to be waited for."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        by_mask = name.startswith("index") and any(
            isinstance(one, torch.Tensor) and one.dtype == torch.bool
            for group in args
            if isinstance(group, list | tuple)
            for one in group
        )
        if name in QUESTIONS or by_mask:
            self.found.append(name)
        return function(*args, **(kwargs or {}))


def test_the_watch_sees_questions():
    values, mask = torch.arange(4.0), torch.tensor([True, False, True, False])
    questions = (
        lambda: values[mask],
        lambda: float(values[0]),
        lambda: bool(mask.any()),
        lambda: mask.nonzero(),
        lambda: values.long().bincount(),
        lambda: values.masked_select(mask),
    )
    for question in questions:
        with Watching() as watching:
            question()
        assert watching.found


@pytest.mark.parametrize("kind", [T5Backbone, GPT2Backbone])
def test_a_language_step_asks_nothing(kind):
    backbone = backbone_of(kind)
    optimizer = torch.optim.AdamW(backbone.parameters(), fused=True)
    batch = collate_parts(EXAMPLES, backbone, 1).parts[0]
    with Watching() as watching:
        backbone.loss(batch).backward()
        torch.nn.utils.clip_grad_norm_(backbone.parameters(), 1.0)
    optimizer.step()  # its count of steps is a number on the CPU, or on the GPU where the rest is
    assert watching.found == []


@pytest.mark.parametrize(
    "quantizer", [EMAResetQuantizer, EMAQuantizer, ResetQuantizer, StandardQuantizer]
)
@pytest.mark.parametrize("frames", [(16, 16, 16), (16, 9, 4)])
def test_a_tokenizer_step_asks_nothing_after_the_first(quantizer, frames):
    torch.manual_seed(0)
    tokenizer = VQVAE(263, quantizer, codebook_size=8, code_dim=16, width=16).train()
    losses = TokenizerLosses(HUMANML3D)
    batch = collate_whole_windows([(torch.randn(16, 263), count) for count in frames], 4)
    assert (batch["lengths"] is None) == (set(frames) == {16})

    def step():
        output = tokenizer(batch["features"], batch["lengths"], batch["token_positions"])
        losses(output, batch["features"])["total"].backward()

    step()  # sees whether the codebook has been begun
    with Watching() as watching:
        step()
    assert watching.found == []


@pytest.mark.parametrize("frames", [(16, 16, 16), (16, 9, 4)])
def test_what_the_host_knows_changes_no_number(frames):
    windows = [(torch.randn(16, 263), count) for count in frames]
    known = collate_whole_windows(windows, 4)
    results = []
    for lengths, positions in (
        (torch.tensor(frames), None),
        (known["lengths"], known["token_positions"]),
    ):
        torch.manual_seed(0)
        tokenizer = VQVAE(263, EMAResetQuantizer, codebook_size=8, code_dim=16, width=16).train()
        for _ in range(2):
            output = tokenizer(known["features"], lengths, positions)
            parts = TokenizerLosses(HUMANML3D)(output, known["features"])
            tokenizer.zero_grad()
            parts["total"].backward()
        gradients = {name: value.grad for name, value in tokenizer.named_parameters()}
        results.append((parts, output.codes, tokenizer.state_dict(), gradients))
    # On some processors the sum over whole rows is taken in another order.
    torch.testing.assert_close(results[0], results[1], rtol=1e-5, atol=1e-6)
