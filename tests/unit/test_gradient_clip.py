"""Gradients are cut as Lightning cuts them, and with a fused optimizer in bfloat16 too."""

import lightning.pytorch as pl
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from motiongpt.errors import UserError
from motiongpt.training.gradient_clip import ClipGradients

NORM = 0.1


class Steep(pl.LightningModule):
    def __init__(self, fused):
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.fused, self.norms = nn.Linear(3, 2), fused, []

    def training_step(self, batch, batch_idx):
        return 100 * self.layer(batch).square().mean()

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=1e-2, fused=self.fused)

    def on_before_zero_grad(self, optimizer):
        gradients = [one.grad for one in self.parameters() if one.grad is not None]
        self.norms += [float(nn.utils.get_total_norm(gradients))] if gradients else []


def trained(fused, precision="32-true", callbacks=(), **options):
    module = Steep(fused)
    trainer = pl.Trainer(
        accelerator="cpu", max_steps=3, precision=precision, callbacks=list(callbacks),
        logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, **options,
    )  # fmt: skip
    trainer.fit(module, DataLoader(torch.randn(3, 4, 3), batch_size=None))
    return module


@pytest.mark.filterwarnings("ignore")
def test_the_cut_is_lightnings_and_holds_in_bfloat16_with_a_fused_optimizer():
    ours = trained(False, callbacks=[ClipGradients("x", NORM, "32-true")])
    theirs = trained(False, gradient_clip_val=NORM)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=0, atol=0)
    mixed = trained(True, "bf16-mixed", [ClipGradients("x", NORM, "bf16-mixed")])
    for module in (ours, mixed):
        assert module.norms and all(norm <= NORM * 1.001 for norm in module.norms)
    free = trained(True, "bf16-mixed", [ClipGradients("x", None, "bf16-mixed")])
    assert max(free.norms) > 10 * NORM


@pytest.mark.filterwarnings("ignore")
def test_float16_with_a_fused_optimizer_is_refused():
    said = "stage x: precision=16-mixed can't clip gradients of a fused optimizer; set optimizer.f"
    with pytest.raises(UserError, match=said):
        trained(True, callbacks=[ClipGradients("x", NORM, "16-mixed")])
    trained(False, callbacks=[ClipGradients("x", NORM, "16-mixed")])
