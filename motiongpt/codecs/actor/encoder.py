"""ACTOR's encoder: frames, and two learned tokens in front whose outputs are the latent's.

Shape letters: B batch, T frames, F features, A actions, D width and latent.
"""

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from motiongpt.codecs.actor.positions import sinusoids
from motiongpt.codecs.base import Gaussian
from motiongpt.codecs.masking import length_mask
from motiongpt.errors import UserError

Summary = Literal["tokens", "average", "average_padded"]
TOKENS = 2  # in front of the frames: one for the mean, one for the log-variance


class ActorEncoder(nn.Module):
    """Frames (B, T, F) to a Gaussian (B, 1, D).

    Args:
        n_features: F.
        n_actions: A; each has tokens of its own. 1 where there are no labels.
        width: D.
        layers, heads, feedforward, dropout: of the transformer.
        longest: T of the longest clip.
        summary: "tokens", or the ablation of the paper's section 4.3: "average" of the frames and
            two linear layers; "average_padded" is it as released, where the frames of the padding
            count.

    Raises:
        UserError: another summary, or a width that the heads or the sinusoids can't have.
    """

    table: Tensor

    def __init__(
        self,
        n_features: int,
        n_actions: int,
        width: int,
        layers: int,
        heads: int,
        feedforward: int,
        dropout: float,
        longest: int,
        summary: Summary = "tokens",
    ) -> None:
        super().__init__()
        if summary not in get_args(Summary):
            raise UserError(f"summary is {summary!r}; choose one of: {get_args(Summary)}")
        check_width(width, heads)
        self.summary = summary
        self.embedding = nn.Linear(n_features, width)
        if summary == "tokens":
            self.mean_tokens = nn.Parameter(torch.randn(n_actions, width))
            self.log_variance_tokens = nn.Parameter(torch.randn(n_actions, width))
        else:
            self.mean = nn.Linear(width, width)
            self.log_variance = nn.Linear(width, width)
        self.register_buffer("table", sinusoids(longest + TOKENS, width), persistent=False)
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(
            width, heads, feedforward, dropout, activation="gelu", batch_first=True
        )
        self.transformer = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        start_afresh(self.transformer)

    def forward(self, features: Tensor, actions: Tensor, lengths: Tensor | None = None) -> Gaussian:
        """Of `features` (B, T, F) with `actions` (B,) int64 and `lengths` (B,) frames, None for all
        T."""
        frames = self.embedding(features)
        mask = length_mask(lengths, features.shape[1])
        if self.summary != "tokens":
            return self._averaged(self._transformed(frames, mask), mask)
        tokens = torch.stack((self.mean_tokens[actions], self.log_variance_tokens[actions]), dim=1)
        if mask is not None:
            mask = torch.cat((mask.new_ones(len(mask), TOKENS), mask), dim=1)
        found = self._transformed(torch.cat((tokens.to(frames.dtype), frames), dim=1), mask)
        return _gaussian(found[:, 0], found[:, 1])

    def _transformed(self, sequence: Tensor, mask: Tensor | None) -> Tensor:
        sequence = self.dropout(sequence + self.table[: sequence.shape[1]])
        hidden = None if mask is None else ~mask
        found: Tensor = self.transformer(sequence, src_key_padding_mask=hidden)
        return found

    def _averaged(self, frames: Tensor, mask: Tensor | None) -> Gaussian:
        if mask is None or self.summary == "average_padded":
            summary = frames.mean(1)
        else:
            counted = mask[..., None].to(frames.dtype)
            summary = (frames * counted).sum(1) / counted.sum(1)
        return _gaussian(self.mean(summary), self.log_variance(summary))


def _gaussian(mean: Tensor, log_variance: Tensor) -> Gaussian:
    return Gaussian(mean[:, None], (log_variance / 2).exp()[:, None])


def check_width(width: int, heads: int) -> None:
    """Refuse a width that a transformer with sinusoids can't have.

    Raises:
        UserError: odd, or no multiple of the heads.
    """
    if width % 2 or width % heads:
        raise UserError(f"ACTOR's width is {width}; expected an even multiple of {heads} heads")


def start_afresh(transformer: nn.Module) -> None:
    """Draw every matrix anew (Glorot); torch's stacks begin as copies of one layer."""
    for parameter in transformer.parameters():
        if parameter.ndim > 1:
            nn.init.xavier_uniform_(parameter)
