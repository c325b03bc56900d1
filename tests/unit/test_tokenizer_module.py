from functools import partial

import lightning.pytorch as pl
import pytest
import torch
from torch.utils.data import DataLoader

from motiongpt.codecs.base import TokenizerOutput
from motiongpt.codecs.vq_vae.losses import TokenizerLosses, velocity_range
from motiongpt.codecs.vq_vae.module import TokenizerModule
from motiongpt.codecs.vq_vae.network import VQVAE
from motiongpt.codecs.vq_vae.quantizers.ema_reset import EMAResetQuantizer
from motiongpt.errors import UserError
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import HUMANML3D, KIT

ADAMW = partial(torch.optim.AdamW, lr=1e-3)


def output_of(features: torch.Tensor, lengths=None) -> TokenizerOutput:
    codes = torch.zeros(len(features), features.shape[1] // 4, dtype=torch.int64)
    return TokenizerOutput(features, lengths, torch.tensor(2.0), torch.tensor(1.0), codes)


def module_for(tokenizer, losses=None, mean=0.0, std=1.0) -> TokenizerModule:
    return TokenizerModule(
        tokenizer, losses or TokenizerLosses(HUMANML3D), HUMANML3D, torch.full((263,), mean),
        torch.full((263,), std), ADAMW,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("skeleton", "channels", "expected"),
    [
        (HUMANML3D, "positions", (4, 67)),
        (HUMANML3D, "velocities", (193, 259)),
        (KIT, "positions", (4, 64)),
        (KIT, "velocities", (184, 247)),
        (KIT, [10, 20], (10, 20)),
    ],
)
def test_channels_of_the_velocity_loss(skeleton, channels, expected):
    found = velocity_range(channels, skeleton)
    assert (found.start, found.stop) == expected


@pytest.mark.parametrize("channels", ["speeds", [5, 5], [0, 264], [1, 2, 3]])
def test_other_channels_are_refused(channels):
    with pytest.raises(UserError, match="velocity_channels"):
        velocity_range(channels, HUMANML3D)


def test_an_unknown_reconstruction_is_refused_with_the_valid_ones():
    with pytest.raises(UserError, match="l1_smooth, l1, l2"):
        TokenizerLosses(HUMANML3D, reconstruction="huber")


def test_losses_are_means_over_content_weighted_as_asked():
    losses = TokenizerLosses(HUMANML3D, "l1", 0.5, 0.02, "velocities")
    target = torch.zeros(2, 10, 263)
    found = torch.zeros(2, 8, 263)
    found[..., 193:259] = 3.0
    found[1, 4:] = 1e6
    parts = losses(output_of(found, torch.tensor([8, 4])), target)
    assert parts["velocity"].item() == pytest.approx(3.0)
    assert parts["reconstruction"].item() == pytest.approx(3.0 * 66 / 263)
    assert parts["total"].item() == pytest.approx(3.0 * 66 / 263 + 0.5 * 3.0 + 0.02 * 2.0)
    positions = TokenizerLosses(HUMANML3D)(output_of(found[:1, :4]), target[:1])
    assert positions["velocity"].item() == 0.0


def test_the_root_can_weigh_more_than_its_four_channels():
    target, found = torch.zeros(1, 8, 263), torch.zeros(1, 8, 263)
    found[..., 0] = 4.0  # a turn that is missed
    plain = TokenizerLosses(HUMANML3D, "l1", 0.0, 0.0)(output_of(found), target)
    assert plain["total"].item() == pytest.approx(4.0 / 263) and "root" not in plain
    heavier = TokenizerLosses(HUMANML3D, "l1", 0.0, 0.0, root=0.5)(output_of(found), target)
    assert heavier["root"].item() == pytest.approx(1.0)
    assert heavier["total"].item() == pytest.approx(4.0 / 263 + 0.5)


def test_joint_error_is_root_aligned_denormalised_and_in_millimetres():
    torch.manual_seed(0)
    module = module_for(VQVAE(263, EMAResetQuantizer, width=8, code_dim=8), mean=0.3, std=0.5)
    target = torch.randn(2, 16, 263)
    found = target.clone()
    found[..., 3] += 7.0  # the root's height: taken out by the alignment, seen by the others
    found[1, 8:] = 50.0  # padding
    output = output_of(found, torch.tensor([16, 8]))
    raw = features_to_joints(torch.stack((found, target)) * 0.5 + 0.3, HUMANML3D)
    local = raw - raw[..., :1, :]
    errors = (local[0] - local[1]).norm(dim=-1).mean(-1)
    expected = 1000 * torch.cat((errors[0], errors[1, :8])).mean()
    torch.testing.assert_close(module._mpjpe(output, target), expected)
    assert module._mpjpe(output_of(target), target) == 0
    # Joints' heights are above the floor: moving only the root by 3.5 m leaves the other 21 behind.
    assert expected.item() == pytest.approx(3500 * 21 / 22, rel=1e-4)


class Recorder(pl.Callback):
    def __init__(self) -> None:
        self.losses: list[float] = []

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        self.losses.append(float(outputs["loss"]))


@pytest.mark.filterwarnings("ignore")
def test_a_trainer_trains_it_and_logs_what_is_promised(tmp_path):
    torch.manual_seed(0)
    tokenizer = VQVAE(263, EMAResetQuantizer, codebook_size=8, code_dim=16, width=16)
    features = torch.sin(torch.linspace(0, 9, 48)[:, None] + torch.arange(263.0)).expand(8, -1, -1)
    batch = {"features": features, "lengths": torch.tensor([48, 30, 48, 9, 48, 48, 21, 48])}
    recorder = Recorder()
    trainer = pl.Trainer(
        accelerator="cpu", max_steps=60, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, callbacks=[recorder],
        num_sanity_val_steps=0, val_check_interval=60, default_root_dir=tmp_path,
    )  # fmt: skip
    loader = DataLoader([batch] * 60, batch_size=None)
    trainer.fit(module_for(tokenizer), loader, DataLoader([batch], batch_size=None))
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
    losses = {"reconstruction", "velocity", "commitment", "total", "perplexity"}
    expected = {f"{split}/{name}" for split in ("train", "val") for name in losses}
    assert expected | {"val/codebook_usage", "val/mpjpe_mm"} <= metrics.keys()
    assert recorder.losses[-1] < 0.6 * recorder.losses[0]
    tokenizer.eval()
    used = tokenizer(batch["features"], batch["lengths"])
    tokens = torch.arange(12)[None] < (batch["lengths"] // 4)[:, None]
    assert metrics["val/codebook_usage"] == used.codes[tokens].unique().numel() / 8
