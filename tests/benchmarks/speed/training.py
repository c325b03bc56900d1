"""Training steps of the language model, in the original's way and in ours."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from motiongpt.allocation import keep_freed_memory
from tests.benchmarks.speed import original_way
from tests.benchmarks.speed.language import Pair, random_backbone, random_model
from tests.benchmarks.speed.part import ORIGINAL, Settings

LEARNING_RATE = 2e-4
BETAS = (0.9, 0.99)


def adam_w(parameters: Iterable[torch.nn.Parameter], fused: bool) -> torch.optim.Optimizer:
    """The original's AdamW with its numbers; `fused` takes all weights in one operation."""
    return torch.optim.AdamW(
        parameters, lr=LEARNING_RATE, betas=BETAS, weight_decay=0.0, fused=fused or None
    )


def autocast(device: str, dtype: str) -> AbstractContextManager:
    """Autocast to `dtype`; nothing is cast to "float32"."""
    return torch.autocast(device, dtype=torch.bfloat16, enabled=dtype == "bfloat16")


class OriginalTraining:
    """A language model and its optimizer: everything padded to 256 tokens, in float32."""

    def __init__(self, settings: Settings) -> None:
        self.model, self.text_tokenizer = random_model(settings)
        self.model.train()
        self.optimizer = adam_w(self.model.parameters(), fused=False)

    def loss(self, pairs: Sequence[Pair]) -> Tensor:
        """Mean loss of some clips; see `original_way.losses`."""
        inputs, targets = [pair.input for pair in pairs], [pair.target for pair in pairs]
        return original_way.losses(self.model, self.text_tokenizer, inputs, targets)


class OurTraining:
    """Batches as long as they are, logits where there is a label, all weights updated at once."""

    def __init__(self, settings: Settings, dtype: str) -> None:
        keep_freed_memory()  # as every training does
        self.model = random_backbone(settings).train()
        self.optimizer = adam_w(self.model.parameters(), fused=True)
        self.device, self.dtype = settings.device, dtype

    def loss(self, pairs: Sequence[Pair]) -> Tensor:
        """Mean loss of some clips; see `Backbone.loss`."""
        batch = self.model.collate(pairs)
        with autocast(self.device, self.dtype):
            return self.model.loss({name: tensor.to(self.device) for name, tensor in batch.items()})


Training = OriginalTraining | OurTraining


def training(side: str, dtype: str, settings: Settings) -> Training:
    """That of one side, in training mode, weights drawn of torch's global random state."""
    return OriginalTraining(settings) if side == ORIGINAL else OurTraining(settings, dtype)


def step(trained: Training, pairs: Sequence[Pair], portion: int) -> Tensor:
    """One step of the optimizer, accumulated over portions of clips; gives the mean loss."""
    portions = [pairs[start : start + portion] for start in range(0, len(pairs), portion)]
    trained.optimizer.zero_grad()
    losses = []
    for some in portions:
        loss = trained.loss(some) / len(portions)
        loss.backward()
        losses.append(loss.detach())
    trained.optimizer.step()
    return torch.stack(losses).sum()
