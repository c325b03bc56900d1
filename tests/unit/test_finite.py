"""A loss or a weight that is not finite ends a training soon, in one line, before it is kept."""

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from evaluation.evaluators.action_training import Training, train_classifier
from evaluation.evaluators.training_steps import Steps, train_steps
from motiongpt.data.build import build_store
from motiongpt.errors import UserError
from motiongpt.text_encoders.small import train_small
from motiongpt.training.callbacks import KeepCheckpoint
from motiongpt.training.finite import EVERY, LossWatch, PlainWatch, likely_cause
from motiongpt.training.stop_when_not_finite import StopWhenNotFinite
from tests.unit.fake_source import FakeSource, feature_clip
from tests.unit.test_no_questions import Watching

NAN, INF = float("nan"), float("inf")


class Line(pl.LightningModule):
    """Learns nothing much; from one step on its loss or its weight is what it is told."""

    def __init__(self, step, loss=None, weight=None):
        super().__init__()
        self.layer = nn.Linear(1, 1)
        self.at, self.value, self.weight = step, loss, weight
        self.taken = 0

    def training_step(self, batch, index):
        self.taken += 1
        loss = self.layer(batch).square().mean()
        return loss * self.value if self.taken >= self.at and self.value else loss

    def on_before_zero_grad(self, optimizer):
        if self.taken >= self.at and self.weight:
            nn.init.constant_(self.layer.weight, self.weight)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=1e-3)


def train(tmp_path, module, steps=100, every=7, start=None):
    checkpoint = tmp_path / "checkpoints" / "last.ckpt"
    checkpoint.parent.mkdir(exist_ok=True)
    stop = StopWhenNotFinite("pretrain", lambda trainer: "lower the rate")
    trainer = pl.Trainer(
        max_steps=steps, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
        callbacks=[stop, KeepCheckpoint(checkpoint, every)],
    )  # fmt: skip
    try:
        trainer.fit(module, DataLoader(torch.ones(200, 1)), ckpt_path=start)
    finally:
        kept = sorted(checkpoint.parent.glob("*.ckpt"))
        for one in kept:
            state = torch.load(one)["state_dict"]
            assert all(torch.isfinite(value).all() for value in state.values()), one
    return kept


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_a_training_stops_soon_after_its_loss_is_not_finite(value, tmp_path):
    module = Line(31, loss=value)
    with pytest.raises(UserError, match="stage pretrain: the loss is not finite since step 31 of"):
        train(tmp_path, module)
    assert module.taken - 31 < EVERY


@pytest.mark.parametrize("every", [1, 3, 1000])
def test_no_checkpoint_holds_a_weight_that_is_not_finite(every, tmp_path):
    module = Line(32, weight=NAN)
    with pytest.raises(UserError, match="a weight is not finite|the loss is not finite"):
        train(tmp_path, module, every=every)
    assert module.taken - 32 < EVERY


@pytest.mark.parametrize("what", [{"loss": NAN}, {"weight": INF}])
def test_the_last_step_is_looked_at(what, tmp_path):
    with pytest.raises(UserError, match=r"not finite since step 13 of 13; lower the rate"):
        train(tmp_path, Line(13, **what), steps=13)


def test_a_checkpoint_of_earlier_versions_with_such_weights_is_not_gone_on_from(tmp_path):
    (kept,) = train(tmp_path, Line(100), steps=13)
    content = torch.load(kept)
    content["state_dict"]["layer.weight"].fill_(NAN)
    bad = tmp_path / "bad.ckpt"
    torch.save(content, bad)
    module = Line(100)
    with pytest.raises(UserError, match="a weight is not finite since step 7"):
        train(tmp_path, module, start=bad)
    assert module.taken == 0


def test_a_sound_training_is_left_alone(tmp_path):
    module = Line(1000)
    assert [one.name for one in train(tmp_path, module)] == ["last.ckpt", "previous.ckpt"]
    assert module.taken == 100


def test_judging_a_step_asks_the_device_nothing():
    watch = LossWatch()
    with Watching() as watching:
        for step in range(1, 30):
            watch.see(step, torch.tensor(NAN if step > 20 else 1.0))
    assert watching.found == [] and int(watch.first()) == 21


def test_a_plain_loop_ends_too():
    weight = nn.Parameter(torch.ones(1))
    watch = PlainWatch("stage x", 25, "do y")
    with pytest.raises(UserError, match="stage x: the loss is not finite since step 12 of 25; do"):
        for step in range(1, 26):
            watch.see(step, torch.tensor(INF if step == 12 else 0.0), [weight])
    assert step == 20
    watch = PlainWatch("stage x", 3, "do y")
    weight.data.fill_(NAN)
    with pytest.raises(UserError, match="a weight is not finite since step 3"):
        for step in range(1, 4):
            watch.see(step, torch.tensor(0.0), [weight])


def test_the_evaluators_training_ends_with_the_option_to_mend():
    weight = nn.Parameter(torch.ones(1))
    with pytest.raises(UserError, match=r"evaluator.matching.learning_rate") as caught:
        train_steps("matching", [weight], lambda: (weight / 0).sum(), Steps(40, 1, 0.1), print)
    assert "since step 1 of 40" in str(caught.value)


def test_the_small_text_encoders_training_ends(tmp_path):
    captions = [[f"a man walks {word}", f"someone goes {word}"] for word in "abcdefgh"]
    settings = {
        "width": 8, "layers": 1, "heads": 1, "feed_forward_width": 8, "dropout": 0.0,
        "text_tokens": 400, "max_tokens": 16, "steps": 30, "batch_size": 4,
        "learning_rate": INF, "temperature": 0.1, "words": 1.0, "word_dropout": 0.0,
    }  # fmt: skip
    with pytest.raises(UserError, match=r"stage text_encoder: .*text_encoder.learning_rate"):
        train_small(captions, 0, str, **settings)


def broken_store(tmp_path):
    """A store of which one training clip holds NaN, as a disk or a careless edit leaves it."""
    clips = [feature_clip(name, "train", 40, labels=("walk",)) for name in "ab"]
    store = build_store(FakeSource(clips), tmp_path / "store", progress=False)
    features = np.load(store.folder / "features.npy")
    features[50, 3] = NAN
    np.save(store.folder / "features.npy", features)
    return type(store).open(store.folder)


def test_the_classifiers_training_ends(tmp_path):
    with pytest.raises(UserError, match=r"stage classifier: .*since step 1 of 5; the data"):
        train_classifier(broken_store(tmp_path), Training(5, 16, [], 2, 0, width=4), log=str)


def test_the_likely_cause_is_looked_for(tmp_path):
    store = broken_store(tmp_path)
    said = likely_cause("tokenizer", store, [0, 1], "32-true", 0.1, is_clipped=False)
    assert "clip b" in said and "motiongpt data verify" in said
    said = likely_cause("tokenizer", store, [0], "32-true", 0.1, is_clipped=False)
    assert "stage.tokenizer.learning_rate" in said and "gradient_clip=1" in said
    said = likely_cause("tokenizer", store, [0], "32-true", 0.1, is_clipped=True)
    assert "gradient_clip" not in said
    said = likely_cause("tokenizer", store, [0], "16-mixed", 0.1, is_clipped=True)
    assert "trainer.precision=bf16-mixed" in said
