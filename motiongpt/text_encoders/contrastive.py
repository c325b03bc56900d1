"""How the small text encoder learns: captions of a clip come near, and keep their words.

Shape letters: B clips, D width, V tokens of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from motiongpt.text_encoders.base import mean_over_tokens
from motiongpt.text_encoders.caption_pairs import CaptionPairs, PairBatch
from motiongpt.training.finite import PlainWatch

if TYPE_CHECKING:
    from transformers import PreTrainedModel

LOGGED = 5  # lines of progress of one training
WARM_UP = 0.1  # share of the steps in which the learning rate rises
LARGEST_GRADIENT = 1.0  # norm


class Objective(nn.Module):
    """InfoNCE between two views of a clip's captions, and a linear readout of their words.

    InfoNCE (van den Oord et al., arXiv:1807.03748, eq. 4) on cosines, both ways: the other view of
    a clip against those of the batch's other clips, clips that share a caption left out. The
    readout is cross entropy against the caption's distinct tokens, each as likely: what a clip's
    captions do not share, such as how an action is called, stays in the features.

    Args:
        temperature: that cosines are divided by.
        words: weight of the readout.
    """

    def __init__(self, width: int, n_tokens: int, temperature: float, words: float) -> None:
        super().__init__()
        self.readout = nn.Linear(width, n_tokens)
        self.temperature, self.words = temperature, words

    def forward(self, features: Tensor, batch: PairBatch) -> Tensor:
        """Loss in nats, a scalar, of features (2 B, D) of a batch's rows."""
        first, second = functional.normalize(features, dim=-1).chunk(2)
        own = torch.eye(len(first), dtype=torch.bool)
        cosines = (first @ second.T).masked_fill(batch.alike & ~own, -torch.inf)
        logits, targets = cosines / self.temperature, torch.arange(len(first))
        pairing = functional.cross_entropy(logits, targets)
        pairing = (pairing + functional.cross_entropy(logits.T, targets)) / 2
        likelihood = torch.log_softmax(self.readout(features), dim=-1) * batch.words
        word_loss = -likelihood.sum(1) / batch.words.sum(1).clamp(min=1)
        return pairing + self.words * word_loss.mean()


def fit_encoder(
    network: PreTrainedModel,
    objective: Objective,
    pairs: CaptionPairs,
    steps: int,
    batch_size: int,
    learning_rate: float,
    log: Callable[[str], None],
) -> None:
    """Train `network`, in place, by AdamW and one cycle of the learning rate.

    Raises:
        UserError: the loss or a weight is not finite.
    """
    advice = (
        f"likely the learning rate ({learning_rate:.3g}): set a smaller text_encoder.learning_rate"
    )
    watch = PlainWatch("stage text_encoder", steps, advice)
    parameters = [*network.parameters(), *objective.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=learning_rate)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, learning_rate, total_steps=steps, pct_start=WARM_UP
    )
    network.train()
    for step in range(1, steps + 1):
        batch = pairs.draw(batch_size)
        states = network(batch.input_ids, attention_mask=batch.attention_mask).last_hidden_state
        loss = objective(mean_over_tokens(states, batch.attention_mask), batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, LARGEST_GRADIENT)
        optimizer.step()
        scheduler.step()
        watch.see(step, loss, parameters)
        if step % max(1, steps // LOGGED) == 0:
            log(f"  text encoder step {step}/{steps}  loss {float(loss.detach()):.4f}")
    network.eval()
