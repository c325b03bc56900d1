"""A batch in parts gives the loss and the gradients of the whole, on one process and on two."""

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.strategies import DDPStrategy
from torch.utils.data import DataLoader

from motiongpt.backbones.gpt2 import GPT2Backbone
from motiongpt.backbones.t5 import T5Backbone
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.tasks.example import Example
from motiongpt.methods.motiongpt.training.language_batch import check_parts, collate_parts
from motiongpt.methods.motiongpt.training.language_module import LanguageModule
from tests.together import run_together

TEXTS = ["a person walks forward and waves with the left hand", "someone sits down slowly"]
WORDS = TEXTS[0].split()
EXAMPLES = [
    Example(
        " ".join(WORDS[: 1 + index]),
        "".join(f"<motion_id_{k % 16}>" for k in range(20 - 2 * index)),
    )
    for index in range(8)
]


def backbone_of(kind, layers=2):
    torch.manual_seed(0)
    sizes = (
        {"feed_forward_width": 32, "encoder_layers": layers, "decoder_layers": layers}
        if kind is T5Backbone
        else {"layers": layers}
    )
    return kind.scratch(16, TEXTS, heads=2, width=16, **sizes).train()


class Gradients(pl.Callback):
    """Keeps the gradients that the optimizer was given."""

    found: dict[str, torch.Tensor]

    def on_before_optimizer_step(self, trainer, module, optimizer):
        self.found = {
            name: value.grad.clone()
            for name, value in module.backbone.named_parameters()
            if value.grad is not None
        }


def step(backbone, examples, parts, steps=1, **options):
    """Loss, gradients of the last step and the trainer, after steps on the same batch."""
    gradients = Gradients()
    trainer = pl.Trainer(
        accelerator="cpu", max_steps=steps, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, callbacks=[gradients],
        num_sanity_val_steps=0, limit_val_batches=0, **options,
    )  # fmt: skip
    module = LanguageModule(
        backbone,
        lambda values: torch.optim.SGD(values, lr=0.5),
        lambda optimizer: torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0),
    )
    batch = collate_parts(examples, backbone, parts)
    trainer.fit(module, DataLoader([batch] * steps, batch_size=None))
    return float(trainer.callback_metrics["train/loss"]), gradients.found, trainer


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [T5Backbone, GPT2Backbone])
@pytest.mark.parametrize("parts", [2, 4, 8])
def test_parts_give_the_gradients_of_the_whole(tmp_path, kind, parts):
    backbone = backbone_of(kind)
    whole = collate_parts(EXAMPLES, backbone, 1)
    loss = backbone.loss(whole.parts[0])
    loss.backward()
    expected = {name: p.grad.clone() for name, p in backbone.named_parameters()}
    backbone.zero_grad()
    cut = collate_parts(EXAMPLES, backbone, parts)
    assert len(set(cut.label_counts)) > 1  # a mean of the parts' means would be another number
    assert cut.positions < whole.positions and cut.target_tokens == whole.target_tokens
    found_loss, found, trainer = step(backbone, EXAMPLES, parts, default_root_dir=tmp_path)
    assert found_loss == pytest.approx(float(loss), rel=1e-6)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    assert trainer.global_step == 1


def test_a_part_has_rows_that_are_alike():
    """Both ways between words and motion, in turns: two parts need hardly any padding."""
    motion = "".join(f"<motion_id_{k % 16}>" for k in range(30))
    ways = [Example(TEXTS[1], motion), Example(motion, TEXTS[1])] * 4
    for kind, least in ((T5Backbone, 0.99), (GPT2Backbone, 0.9)):
        batch = collate_parts(ways, backbone_of(kind), 2)
        assert (batch.input_tokens + batch.target_tokens) / batch.positions >= least
    whole = collate_parts(ways, backbone_of(T5Backbone), 1)
    assert (whole.input_tokens + whole.target_tokens) / whole.positions < 0.7


@pytest.mark.filterwarnings("ignore")
def test_each_step_begins_with_no_gradient_and_clips_that_of_the_whole(tmp_path):
    options = {"steps": 5, "gradient_clip_val": 0.05, "default_root_dir": tmp_path}
    one, apart = (backbone_of(T5Backbone) for _ in range(2))
    loss, _, _ = step(one, EXAMPLES, 1, **options)
    cut_loss, gradients, trainer = step(apart, EXAMPLES, 4, **options)
    assert trainer.global_step == 5
    assert cut_loss == pytest.approx(loss, rel=1e-5)
    torch.testing.assert_close(apart.state_dict(), one.state_dict(), rtol=1e-4, atol=1e-6)
    norm = torch.stack([g.norm() for g in gradients.values()]).norm()
    assert norm > 0.05  # so that the clipping did something


@pytest.mark.filterwarnings("ignore")
def test_bfloat16_parts_give_what_bfloat16_gives_at_once(tmp_path):
    options = {"precision": "bf16-mixed", "default_root_dir": tmp_path}
    loss, whole, _ = step(backbone_of(T5Backbone), EXAMPLES, 1, **options)
    cut_loss, cut, _ = step(backbone_of(T5Backbone), EXAMPLES, 4, **options)
    assert cut_loss == pytest.approx(loss, rel=2e-3)
    for name, gradient in whole.items():
        assert (cut[name] - gradient).norm() <= 0.03 * gradient.norm() + 1e-4, name


def _two_processes(processes, folder):
    mine = EXAMPLES[4 * processes.rank : 4 * processes.rank + 4]
    for parts in (1, 2, 4):
        loss, gradients, _ = step(
            backbone_of(T5Backbone), mine, parts, devices=2, plugins=[processes.environment],
            strategy=DDPStrategy(broadcast_buffers=False), use_distributed_sampler=False,
            default_root_dir=folder,
        )  # fmt: skip
        torch.save({"loss": loss, **gradients}, folder / f"{parts}-{processes.rank}.pt")


@pytest.mark.filterwarnings("ignore")
def test_two_processes_sum_their_parts_before_they_exchange(tmp_path):
    backbone = backbone_of(T5Backbone)
    loss = backbone.loss(collate_parts(EXAMPLES, backbone, 1).parts[0])
    loss.backward()
    expected = {name: p.grad for name, p in backbone.named_parameters()}
    run_together(2, _two_processes, tmp_path)
    for parts in (1, 2, 4):
        for rank in (0, 1):
            found = torch.load(tmp_path / f"{parts}-{rank}.pt", weights_only=True)
            assert found.pop("loss") == pytest.approx(float(loss), rel=1e-6)
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_a_share_that_cannot_be_divided_is_refused_with_what_can():
    check_parts("pretrain", 16, 2, 4)
    with pytest.raises(UserError, match=r"accumulate=3 can't divide the 8 clips.*1, 2, 4, 8"):
        check_parts("pretrain", 16, 2, 3)
    with pytest.raises(UserError, match="accumulate=0"):
        check_parts("pretrain", 16, 1, 0)


@pytest.mark.parametrize("kind", [T5Backbone, GPT2Backbone])
def test_a_batch_knows_its_tokens_without_padding(kind):
    backbone = backbone_of(kind)
    batch = collate_parts(EXAMPLES[:2], backbone, 1)
    inputs = sum(map(len, backbone.encode_inputs([e.input for e in EXAMPLES[:2]])))
    targets = sum(map(len, backbone.encode_targets([e.target for e in EXAMPLES[:2]])))
    assert (batch.clips, batch.input_tokens, batch.target_tokens) == (2, inputs, targets)
    assert batch.positions > inputs + targets
    alone = collate_parts(EXAMPLES[:2], backbone, 2)
    assert alone.positions == inputs + targets
