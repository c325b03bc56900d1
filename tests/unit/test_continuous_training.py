"""How continuous codecs are trained: losses, module, stage, one process and two.

Imports little at the top, because the processes import it too.
"""

from functools import partial

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from torch.utils.data import DataLoader

from motiongpt.codecs.actor.network import Actor
from motiongpt.codecs.base import Gaussian
from motiongpt.codecs.continuous.batch import collate_clips
from motiongpt.codecs.continuous.losses import ContinuousLosses, kl_divergence
from motiongpt.codecs.continuous.module import ContinuousModule
from motiongpt.codecs.continuous.stage import ContinuousCodecStage, window_of
from motiongpt.codecs.loading import load_codec
from motiongpt.codecs.vposer_t.network import VPoserT
from motiongpt.data.store import MotionStore
from motiongpt.data.windows import FeatureWindows
from motiongpt.errors import UserError
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import HUMANML3D
from motiongpt.training.stage import MODEL, Hardware, StageContext
from tests.end_to_end.stages import small_store
from tests.together import run_together

LENGTHS = torch.tensor([10, 4])
ZERO, ONE = torch.zeros(263), torch.ones(263)


def latent(rows: int = 2) -> Gaussian:
    torch.manual_seed(0)
    return Gaussian(torch.randn(rows, 1, 5), torch.rand(rows, 1, 5) + 0.1)


def losses_of(losses, found, wanted, lengths=LENGTHS):
    return losses(found, wanted, latent(len(found)), lengths, ZERO, ONE)


def test_kl_is_that_of_torch():
    one = latent()
    unit = torch.distributions.Normal(0.0, 1.0)
    expected = torch.distributions.kl_divergence(torch.distributions.Normal(*one), unit)
    torch.testing.assert_close(kl_divergence(one), expected)
    mean = ContinuousLosses(HUMANML3D).kl(one)
    torch.testing.assert_close(mean, expected.mean())
    summed = ContinuousLosses(HUMANML3D, kl_reduction="sum", clips=2).kl(one)
    torch.testing.assert_close(summed, expected.sum())
    half = Gaussian(one.mean[:1], one.std[:1])  # what one of two processes has of a step
    torch.testing.assert_close(
        ContinuousLosses(HUMANML3D, kl_reduction="sum", clips=2).kl(half), 2 * expected[:1].sum()
    )


def test_losses_are_means_over_content_weighted_as_asked():
    losses = ContinuousLosses(HUMANML3D, "l1", features=2.0, joints=0.5, kl=0.1)
    wanted = torch.zeros(2, 10, 263)
    found = wanted.clone()
    found[..., 3] = 3.0  # the height of the root alone
    found[1, 4:] = 1e6
    parts = losses_of(losses, found, wanted)
    assert parts["features"].item() == pytest.approx(3 / 263)
    assert parts["joints"].item() == pytest.approx(3 / 22 / 3)
    total = 2 * 3 / 263 + 0.5 * 3 / 66 + 0.1 * parts["kl"].item()
    assert losses.total(parts).item() == pytest.approx(total)


def test_counted_padding_is_part_of_the_means():
    wanted, found = torch.zeros(2, 10, 263), torch.zeros(2, 10, 263)
    found[1, 4:] = 1.0
    losses = ContinuousLosses(HUMANML3D, "l2", padding="counted")
    parts = losses_of(losses, found, wanted)
    assert parts["features"].item() == pytest.approx(6 / 20)
    joints = (features_to_joints(found, HUMANML3D) - features_to_joints(wanted, HUMANML3D)).square()
    torch.testing.assert_close(parts["joints"], joints.mean())
    assert losses_of(ContinuousLosses(HUMANML3D), found, wanted)["features"] == 0


def test_joints_of_no_weight_are_not_computed():
    losses = ContinuousLosses(HUMANML3D, joints=0.0)
    assert losses.names == ("features", "kl")
    assert losses_of(losses, torch.zeros(2, 10, 5), torch.ones(2, 10, 5)).keys() == {
        "features",
        "kl",
    }


@pytest.mark.parametrize(
    "option", [{"distance": "huber"}, {"kl_reduction": "max"}, {"padding": "seen"}], ids=str
)
def test_unknown_options_are_refused_with_the_valid_ones(option):
    with pytest.raises(UserError, match=f"losses.{next(iter(option))} is .*choose one of: "):
        ContinuousLosses(HUMANML3D, **option)


def test_a_batch_is_as_long_as_its_longest_clip():
    windows = [(torch.ones(12, 3), 5), (torch.ones(12, 3), 7)]
    batch = collate_clips(windows)
    assert batch["features"].shape == (2, 7, 3)
    assert batch["lengths"].tolist() == [5, 7] and batch["frames"] == 12


def test_windows_that_a_codec_cannot_take_are_refused():
    codec = VPoserT(11, frames=16, width=4, latent=2)
    assert window_of("codec", codec, None, 40) == 16 and window_of("codec", codec, 9, 9) == 9
    with pytest.raises(UserError, match="window is 9 frames.*up to 16.*would stay untrained"):
        window_of("codec", codec, 9, 40)
    for window in (17, 0):
        with pytest.raises(UserError, match=rf"stage.vae.window is {window} frames.*1 to 16"):
            window_of("vae", codec, window, 9)
    codec.longest = None
    with pytest.raises(UserError, match="any length"):
        window_of("codec", codec, None, 9)
    assert window_of("codec", codec, 9, 40) == 9, "of any length"


def small(kind):
    torch.manual_seed(0)
    if kind is VPoserT:
        return VPoserT(263, frames=48, width=64, latent=32, dropout=0.0)
    return Actor(263, 32, layers=1, heads=2, feedforward=64, dropout=0.0, longest=48)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("kind", "steps", "rate"), [(VPoserT, 80, 3e-3), (Actor, 120, 5e-3)])
def test_it_overfits_32_clips_and_logs_what_is_promised(kind, steps, rate, tmp_path):
    time = torch.linspace(0, 3, 48)[:, None]
    phases = torch.arange(32.0)[:, None, None] / 5
    features = torch.sin(time * 2 + phases + torch.arange(263.0))
    lengths = 24 + (torch.arange(32) * 5) % 25
    batch = collate_clips(list(zip(features, lengths.tolist(), strict=True)))
    module = ContinuousModule(
        small(kind), ContinuousLosses(HUMANML3D), HUMANML3D, ZERO, 0.1 * ONE,
        partial(torch.optim.AdamW, lr=rate),
    )  # fmt: skip
    losses: list[float] = []

    class Recorder(pl.Callback):
        def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
            losses.append(float(outputs["loss"]))

    trainer = pl.Trainer(
        accelerator="cpu", max_steps=steps, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, callbacks=[Recorder()],
        num_sanity_val_steps=0, val_check_interval=steps, default_root_dir=tmp_path,
    )  # fmt: skip
    trainer.fit(
        module, DataLoader([batch] * steps, batch_size=None), DataLoader([batch], batch_size=None)
    )
    assert losses[-1] < 0.3 * losses[0]
    found = {name: float(value) for name, value in trainer.callback_metrics.items()}
    parts = {
        f"{split}/{n}" for split in ("train", "val") for n in ("features", "joints", "kl", "total")
    }
    assert parts | {"val/mpjpe_mm"} == found.keys()
    for split in ("train", "val"):
        weighted = (
            found[f"{split}/features"] + found[f"{split}/joints"] + 1e-4 * found[f"{split}/kl"]
        )
        assert found[f"{split}/total"] == pytest.approx(weighted, rel=1e-5)
    assert found["train/total"] == pytest.approx(losses[-1], rel=1e-5)
    cost = module.step_cost(batch)
    assert (cost.clips, cost.tokens, cost.positions) == (32, int(lengths.sum()), 32 * 44)
    assert cost.flops > 0


CODECS = {
    "vposer_t": {"_target_": "motiongpt.codecs.vposer_t.network.VPoserT", "frames": 64, "width": 32,
                 "latent": 16, "dropout": 0.0},
    "actor": {"_target_": "motiongpt.codecs.actor.network.Actor", "width": 16, "layers": 1,
              "heads": 2, "feedforward": 32, "dropout": 0.0, "longest": 64},
}  # fmt: skip


def stage_for(name: str, **losses) -> ContinuousCodecStage:
    optimizer = {"_target_": "torch.optim.AdamW", "_partial_": True}
    scheduler = {
        "_target_": "motiongpt.training.schedulers.constant", "_partial_": True, "warmup_steps": 0,
    }  # fmt: skip
    schedule = {"steps": 6, "batch_size": 8, "validate_every": 3, "checkpoint_every": 3}
    return ContinuousCodecStage(
        OmegaConf.create({**CODECS[name], "_partial_": True}),
        window=None,
        short="pad",
        losses=losses,
        optimizer=OmegaConf.create(optimizer),
        scheduler=OmegaConf.create(scheduler),
        learning_rate=1e-3,
        schedule=OmegaConf.create(schedule),
        seed=7,
    )


def run_stage(processes, root, name, **losses):
    """Train, and leave the metrics of each process beside the model."""
    folder = root / f"{name}-{processes.world}"
    folder.mkdir(exist_ok=True)
    hardware = Hardware("cpu", devices=processes.world, threads=1)
    context = StageContext(
        "codec", "", folder, {}, MotionStore.open(root / "store"), hardware,
        processes=processes, log=str,
    )  # fmt: skip
    metrics = stage_for(name, **losses).run(context)
    torch.save(dict(metrics), folder / f"metrics-{processes.rank}.pt")


def _train_without_noise(processes, root):
    """Noise is each process's own: without it two give what one gives."""
    torch.randn_like = torch.zeros_like
    run_stage(processes, root, "vposer_t")
    run_stage(processes, root, "actor", kl_reduction="sum")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_two_processes_give_what_one_gives_and_the_model_opens(tmp_path):
    small_store(tmp_path / "store", 5)
    for world in (1, 2):
        run_together(world, _train_without_noise, tmp_path)
    store = MotionStore.open(tmp_path / "store")
    clips = [store.features(index) for index in store.indices("val")]
    for name in CODECS:
        one, two = (tmp_path / f"{name}-{world}" for world in (1, 2))
        metrics = torch.load(one / "metrics-0.pt", weights_only=True)
        for rank in (0, 1):
            found = torch.load(two / f"metrics-{rank}.pt", weights_only=True)
            assert found == pytest.approx(metrics, rel=2e-4), name
        opened, other = load_codec(one / MODEL), load_codec(two / MODEL)
        for ours, theirs in zip(opened.reconstruct(clips), other.reconstruct(clips), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=2e-3)
        errors = _errors(opened, store, 64)
        assert metrics["val/mpjpe_mm"] == pytest.approx(errors, rel=1e-3), name


def _errors(trained, store, frames):
    """What `val/mpjpe_mm` is of a codec that was opened again, on the windows of the validation."""
    from motiongpt.training.sampler import fixed_keys

    windows = FeatureWindows(store, frames)
    found = []
    for key in fixed_keys(windows.indices("val"), 7):
        window, length = windows[key]
        clip = trained.raw(window[:length].numpy())
        pair = torch.from_numpy(np.stack((trained.reconstruct([clip])[0], clip)))
        joints = features_to_joints(pair, store.skeleton)
        joints = joints - joints[..., :1, :]
        found.append(1000 * (joints[0] - joints[1]).norm(dim=-1).mean(-1))
    return float(torch.cat(found).mean())
