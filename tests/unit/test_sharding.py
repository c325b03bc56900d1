"""What is shared out and what is refused; two real processes are in end_to_end/test_sharded."""

import lightning.pytorch as pl
import pytest
import torch
from torch import nn

from motiongpt.backbones.adapters import LoRA
from motiongpt.backbones.causal import CausalBackbone
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.training.language_module import LanguageModule
from motiongpt.training.frozen import changed_weights, has_frozen, leave_out_frozen
from motiongpt.training.schedule import Schedule
from motiongpt.training.sharding import blocks, is_sharded, whole_weights
from motiongpt.training.stage import StageContext
from tests.unit.causal_folders import published
from tests.unit.test_accumulation import GPT2Backbone, T5Backbone, backbone_of
from tests.unit.test_processes import context_for, try_to_fit


@pytest.mark.parametrize(("kind", "layers"), [(T5Backbone, 4), (GPT2Backbone, 2)])
def test_blocks_are_the_layers_of_a_transformer_and_no_parts_of_them(kind, layers):
    found = blocks(backbone_of(kind))
    assert len(found) == layers
    assert {type(one).__name__ for one in found} <= {"T5Block", "GPT2Block"}


def test_nothing_of_a_plain_network_is_put_together():
    network = nn.Linear(2, 2)
    assert not is_sharded(network.parameters())
    assert whole_weights(network, True) is None


def test_frozen_weights_stay_out_of_checkpoints(tmp_path):
    folder = published(tmp_path / "qwen2", "qwen2")
    adapted = CausalBackbone.pretrained(
        str(folder), 16, max_input_tokens=32, max_target_tokens=32, lora=LoRA(rank=2)
    )
    assert has_frozen(adapted) and not has_frozen(backbone_of(GPT2Backbone))
    kept = changed_weights(adapted)
    assert kept and len(kept) < len(adapted.state_dict())
    module = LanguageModule(adapted, torch.optim.AdamW, None)
    checkpoint = {"state_dict": module.state_dict()}
    module.on_save_checkpoint(checkpoint)
    assert set(checkpoint["state_dict"]) == {f"backbone.{name}" for name in kept}
    assert not module.strict_loading
    whole = LanguageModule(backbone_of(GPT2Backbone), torch.optim.AdamW, None)
    checkpoint = {"state_dict": whole.state_dict()}
    whole.on_save_checkpoint(checkpoint)
    assert whole.strict_loading and set(checkpoint["state_dict"]) == set(whole.state_dict())
    assert leave_out_frozen(whole, {"unknown": 1}) == {}


class Sharding(pl.LightningModule):
    def configure_model(self):
        pass


def test_a_strategy_that_losses_are_not_made_for_is_refused(tmp_path):
    with pytest.raises(UserError, match="strategy=deepspeed .*choose auto, ddp or fsdp"):
        try_to_fit(context_for(tmp_path, 2, strategy="deepspeed"), 4)


def test_weights_that_are_shared_out_are_not_trained_in_float16(tmp_path, monkeypatch):
    monkeypatch.setattr(StageContext, "device", torch.device("cuda"))
    schedule = Schedule(steps=1, batch_size=4, precision="16-mixed")
    with pytest.raises(UserError, match="strategy=fsdp with precision=16-mixed; set trainer.prec"):
        try_to_fit(context_for(tmp_path, 2, strategy="fsdp"), 4, Sharding(), schedule)
