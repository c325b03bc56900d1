"""The engine of every training, small: stopped and gone on from it ends as if undisturbed, and two
processes train as one does. tests/end_to_end shows the same of real stages, at length.

A network of a few weights learns noisy numbers; what could go wrong is all there: AdamW's state, a
learning rate that falls, an order of clips drawn anew each epoch, noise of each clip's own seed,
dropout, batches of clips of which some count for more, and a checkpoint of another number of
processes.
"""

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import Dataset

from motiongpt.data.build import build_store
from motiongpt.data.store import MotionStore
from motiongpt.training.fit import Schedule, fit
from motiongpt.training.global_means import RunningMeans, over_global_batch
from motiongpt.training.schedulers import cosine
from motiongpt.training.stage import Hardware, Processes, StageContext
from motiongpt.training.step_cost import StepCost
from motiongpt.training.stopping import Interrupted, StopRequest
from tests.together import run_together
from tests.unit.fake_source import FakeSource, feature_clip

STEPS, STOPPED_AFTER = 9, 4
CLIPS = (np.arange(10), np.arange(10, 15))  # 10 clips in batches of 4: an epoch ends in a batch
SCHEDULE = Schedule(steps=STEPS, batch_size=4, validate_every=3)


class Numbers(Dataset):
    """For a key: the clip's own numbers with noise of the key's seed, and how much they count."""

    def __getitem__(self, key):
        clip, seed = key
        own, noise = np.random.default_rng(clip), np.random.default_rng(seed)
        values = own.normal(size=4) + 0.1 * noise.normal(size=4)
        return clip, torch.tensor(values, dtype=torch.float32), 1 + clip % 3


def collate(items):
    clips, values, counts = zip(*items, strict=True)
    return {"clips": clips, "values": torch.stack(values), "counts": torch.tensor(counts)}


class Learner(pl.LightningModule):
    """Learns to give the sum of the numbers; notes the clips and the loss of each step."""

    def __init__(self, dropout):
        super().__init__()
        torch.manual_seed(0)
        self.network = nn.Sequential(
            nn.Linear(4, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 1)
        )
        self.seen, self.losses, self.ask_to_stop = [], [], lambda: None
        self.validated = RunningMeans(["loss"])

    def loss(self, batch):
        error = (self.network(batch["values"])[:, 0] - batch["values"].sum(1)).square()
        return (error * batch["counts"]).sum() / batch["counts"].sum()

    def training_step(self, batch, index):
        loss = self.loss(batch)
        means, weight = over_global_batch({"loss": loss}, int(batch["counts"].sum()))
        self.seen.append(batch["clips"])
        self.losses.append(float(means["loss"]))
        if self.trainer.global_step + 1 == STOPPED_AFTER:
            self.ask_to_stop()
        return loss * weight

    def validation_step(self, batch, index):
        self.validated.add({"loss": self.loss(batch)}, int(batch["counts"].sum()))

    def on_validation_epoch_start(self):
        self.validated.start(self.device)

    def on_validation_epoch_end(self):
        self.log("val/loss", self.validated.over_processes()["loss"])

    def step_cost(self, batch):
        return StepCost(len(batch["clips"]), 1, 1, 1.0)

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=0.05)
        scheduler = cosine(optimizer, STEPS, final=0.05)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }


class Dropping(Learner):
    """Notes what a dropout of each step drops, too."""

    def training_step(self, batch, index):
        self.dropped = [*getattr(self, "dropped", ()), nn.functional.dropout(torch.ones(64))]
        return super().training_step(batch, index)


def train(root, name, dropout, processes=None, stops=False, kind=Learner):
    """Train in `root/name`, from the checkpoint there if there is one; what it did and became."""
    processes = processes or Processes()
    stop = StopRequest()
    context = StageContext(
        "learner", "", root / name, {}, MotionStore.open(root / "store"),
        Hardware("cpu", devices=processes.world), processes=processes, stop=stop, log=str,
    )  # fmt: skip
    context.folder.mkdir(exist_ok=True)
    learner = kind(dropout)
    if stops:
        learner.ask_to_stop = lambda: setattr(stop, "signal", 15)
    try:
        metrics = fit("learner", learner, Numbers(), collate, CLIPS, SCHEDULE, 1, context)
    except Interrupted:
        metrics = {}
    weights = {name: value.detach() for name, value in learner.network.state_dict().items()}
    return {
        "seen": learner.seen,
        "losses": learner.losses,
        "dropped": getattr(learner, "dropped", []),
        "metrics": metrics,
        "weights": weights,
    }


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("learner")
    build_store(FakeSource([feature_clip("a")]), root / "store", progress=False)
    return root


@pytest.mark.filterwarnings("ignore")
def test_stopped_and_gone_on_from_it_ends_as_if_undisturbed(root):
    whole = train(root, "whole", dropout=0.3)
    begun = train(root, "stopped", dropout=0.3, stops=True)
    assert begun["metrics"] == {} and len(begun["losses"]) == STOPPED_AFTER
    rest = train(root, "stopped", dropout=0.3)
    assert begun["seen"] + rest["seen"] == whole["seen"]
    assert begun["losses"] + rest["losses"] == whole["losses"]
    assert rest["metrics"] == whole["metrics"] and "val/loss" in whole["metrics"]
    for name, value in whole["weights"].items():
        assert torch.equal(rest["weights"][name], value), name


@pytest.mark.filterwarnings("ignore")
def test_each_step_drops_other_numbers(root):
    """A seed of dropout without the step in it would pass every comparison of two runs."""

    masks = train(root, "dropping", dropout=0.0, kind=Dropping)["dropped"]
    assert len({tuple(mask.tolist()) for mask in masks}) == STEPS


def _together(processes, root):
    found = {
        "whole": train(root, "two", 0.0, processes, kind=Dropping),
        "rest": train(root, "of_one", 0.0, processes),
    }
    torch.save(found, root / f"two-{processes.rank}.pt")


@pytest.fixture(scope="module")
def trained(root):
    """What one process did, and each of two, which also went on from where one was stopped."""
    alone = train(root, "one", 0.0)
    train(root, "of_one", 0.0, stops=True)
    run_together(2, _together, root)
    return alone, [torch.load(root / f"two-{rank}.pt", weights_only=True) for rank in (0, 1)]


@pytest.mark.filterwarnings("ignore")
def test_two_processes_share_the_clips_of_each_step(trained):
    alone, two = trained
    shares = [one["whole"]["seen"] for one in two]
    assert [first + second for first, second in zip(*shares, strict=True)] == alone["seen"]
    assert all(len(share) == 2 for share in shares[0])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("run", ["whole", "rest"])
def test_two_processes_train_as_one_does(trained, run):
    alone, two = trained
    for one in two:
        found = one[run]
        assert found["losses"] == pytest.approx(alone["losses"][-len(found["losses"]) :], rel=1e-5)
        assert found["metrics"] == pytest.approx(alone["metrics"], rel=1e-5)
        torch.testing.assert_close(found["weights"], alone["weights"], rtol=1e-4, atol=1e-5)
        assert len(found["losses"]) == (STEPS if run == "whole" else STEPS - STOPPED_AFTER)


@pytest.mark.filterwarnings("ignore")
def test_each_process_drops_other_numbers(trained):
    _, two = trained
    for first, second in zip(*(one["whole"]["dropped"] for one in two), strict=True):
        assert not torch.equal(first, second)
