"""ACTOR's decoder: one query a frame, which knows only its time, looks at the latent.

Shape letters: B batch, T frames, F features, A actions, D width and latent.
"""

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongpt.codecs.actor.encoder import check_width, start_afresh
from motiongpt.codecs.actor.positions import sinusoids
from motiongpt.codecs.masking import length_mask
from motiongpt.errors import UserError

Condition = Literal["none", "bias", "token", "linear"]
Queries = Literal["sinusoid", "time"]


class ActorDecoder(nn.Module):
    """A latent (B, D) to frames (B, T, F).

    Args:
        n_features, n_actions, width, layers, heads, feedforward, dropout, longest: as of
            `ActorEncoder`.
        condition: how the action comes in: "bias" is added to the latent (the paper's); of its
            ablations, "token" stands beside the latent and "linear" mixes its one-hot label into
            it; "none" where there are no labels.
        queries: "sinusoid" by frame, or the ablation "time", the frame's share of the clip, 0 to 1.

    Raises:
        UserError: another condition or other queries, or a width that the heads or the sinusoids
            can't have.
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
        condition: Condition = "none",
        queries: Queries = "sinusoid",
    ) -> None:
        super().__init__()
        for name, value, known in (
            ("condition", condition, get_args(Condition)),
            ("queries", queries, get_args(Queries)),
        ):
            if value not in known:
                raise UserError(f"{name} is {value!r}; choose one of: {', '.join(known)}")
        check_width(width, heads)
        self.condition, self.queries, self.n_actions = condition, queries, n_actions
        if condition in ("bias", "token"):
            self.action_biases = nn.Parameter(torch.randn(n_actions, width))
        if condition == "linear":
            self.mixing = nn.Linear(width + n_actions, width)
        self.register_buffer("table", sinusoids(longest, width), persistent=False)
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerDecoderLayer(
            width, heads, feedforward, dropout, activation="gelu", batch_first=True
        )
        self.transformer = nn.TransformerDecoder(layer, layers)
        start_afresh(self.transformer)
        self.output = nn.Linear(width, n_features)

    def forward(self, latents: Tensor, actions: Tensor, lengths: Tensor) -> Tensor:
        """Of `latents` (B, D) with `actions` (B,) int64; T is the largest of `lengths` (B,), and
        beyond a row's length all is zero."""
        mask = length_mask(lengths, int(lengths.max()))
        assert mask is not None
        found = self.transformer(
            self.dropout(self._queries(mask, lengths).to(latents.dtype)),
            self._memory(latents, actions),
            tgt_key_padding_mask=~mask,
        )
        features: Tensor = self.output(found)
        return features.masked_fill(~mask[..., None], 0.0)

    def _queries(self, mask: Tensor, lengths: Tensor) -> Tensor:
        """(B, T, D)."""
        rows, frames = mask.shape
        if self.queries == "sinusoid":
            return self.table[:frames].expand(rows, -1, -1)
        share = torch.arange(frames, device=mask.device) / (lengths - 1).clamp_min(1)[:, None]
        return (share * mask)[..., None].expand(-1, -1, self.table.shape[1])

    def _memory(self, latents: Tensor, actions: Tensor) -> Tensor:
        """What the queries look at, (B, 1 or 2, D)."""
        if self.condition == "bias":
            return (latents + self.action_biases[actions])[:, None]
        if self.condition == "token":
            return torch.stack((latents, self.action_biases[actions].to(latents.dtype)), dim=1)
        if self.condition == "linear":
            label = F.one_hot(actions, self.n_actions).to(latents.dtype)
            mixed: Tensor = self.mixing(torch.cat((latents, label), dim=1))
            return mixed[:, None]
        return latents[:, None]
