"""TMR's networks (Petrovich et al., ICCV 2023): a motion encoder, a text encoder, a motion decoder.

The encoders are ACTOR's and TEMOS's: learned tokens in front of the sequence, whose outputs are
mean and log-variance of a latent. Parameters of the encoders are called as in the published
weights; the decoder is `ActorDecoder`, see `tmr_weights`.
Shape letters: B clips or captions, T frames, F features, L items of a sequence, D width.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from motiongpt.codecs.actor.decoder import ActorDecoder
from motiongpt.codecs.actor.positions import sinusoids
from motiongpt.codecs.masking import length_mask
from motiongpt.errors import UserError
from motiongpt.weights import dimension, layer_count

PREFIX = "weights of TMR: "
MARGIN = 0.1
"""By which the disorder's sigmoid is stretched on either side, so that it reaches 0 and 1."""
STILL = 0.3
"""Of a normalised feature: what strays less hardly moves, and noise is not disorder."""
MOST_WORDS = 1024
"""Longest sequence of text tokens that the table of positions has room for."""


@dataclass(frozen=True)
class TMRSizes:
    """Sizes of the networks; the defaults are TMR's for HumanML3D.

    Attributes:
        n_features: F.
        text_width: of the features of a caption's tokens that the text encoder reads.
        width: D, of the transformers and of the latent.
        layers, heads, feed_forward: of each of the three transformers.
        max_frames: of the longest clip.
        frames_per_token: frames that the motion encoder reads as one item: 1 in TMR. Attention
            over a quarter of the items is what makes a CPU training take minutes.
        order: whether there is a head that says how far a clip's frames are out of order; ours.
        variational: a latent has a log-variance; without, there is one token and no KL term.
        decoder: whether there is one; only the reconstruction needs it.
    """

    n_features: int = 263
    text_width: int = 768
    width: int = 256
    layers: int = 6
    heads: int = 4
    feed_forward: int = 1024
    max_frames: int = 200
    frames_per_token: int = 1
    order: bool = False
    variational: bool = True
    decoder: bool = True

    def __post_init__(self) -> None:
        if self.width % 2 or self.width % self.heads:
            raise UserError(
                f"evaluator.sizes.width={self.width}: an even multiple of {self.heads} heads is "
                "needed"
            )


class Latent(NamedTuple):
    """What an encoder gives of B sequences, (B, D) each; no log-variance where it has none."""

    mean: Tensor
    log_variance: Tensor | None

    def sample(self, noise: Tensor | None = None, factor: float = 1.0) -> Tensor:
        """mean + factor * noise * sigma, (B, D); the mean itself where there is no variance.

        Args:
            noise: (B, D) standard normal; None draws it.
        """
        if self.log_variance is None:
            return self.mean
        noise = torch.randn_like(self.mean) if noise is None else noise
        return self.mean + factor * noise * self.log_variance.exp().sqrt()


class TMREncoder(nn.Module):
    """Items (B, L, W) to a latent: learned tokens in front, a post-norm transformer over all.

    Args:
        n_inputs: W.
        width, layers, heads, feed_forward: of the transformer.
        longest: L at most.
        variational: two tokens (mean, log-variance), or one.
        dropout: in training.
    """

    table: Tensor

    def __init__(
        self,
        n_inputs: int,
        width: int,
        layers: int,
        heads: int,
        feed_forward: int,
        longest: int,
        variational: bool = True,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        n_tokens = 2 if variational else 1
        self.projection = nn.Linear(n_inputs, width)
        self.tokens = nn.Parameter(torch.randn(n_tokens, width))
        self.register_buffer("table", sinusoids(n_tokens + longest, width), persistent=False)
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(
            width, heads, feed_forward, dropout, activation="gelu", batch_first=True
        )
        # Packed rows and a dense batch round differently: an embedding must not depend on company.
        self.seqTransEncoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def outputs(self, items: Tensor, lengths: Tensor | None) -> Tensor:
        """What comes out at the learned tokens, (B, 1 or 2, D), of items (B, L, W).

        Args:
            lengths: (B,) items that count, at least 1; None for all.
        """
        tokens = self.tokens.expand(len(items), -1, -1)
        sequence = torch.cat((tokens, self.projection(items)), dim=1)
        sequence = self.dropout(sequence + self.table[: sequence.shape[1]])
        hidden = None
        if lengths is not None:
            hidden = ~_mask(lengths + len(self.tokens), sequence.shape[1])
        found: Tensor = self.seqTransEncoder(sequence, src_key_padding_mask=hidden)
        return found[:, : len(self.tokens)]

    def forward(self, items: Tensor, lengths: Tensor | None) -> Latent:
        """The latent of items (B, L, W); see `outputs`."""
        found = self.outputs(items, lengths)
        return Latent(found[:, 0], found[:, 1] if found.shape[1] > 1 else None)


class OrderHead(nn.Module):
    """Tells whether a clip's frames are in order; learns apart from the rest.

    It sees how far each feature moves from one frame to the next, against how far it strays from
    its mean (von Neumann's ratio, Annals of Mathematical Statistics 12, 1941, of absolute values):
    small for any motion, fast or slow, and about 1 where frames are out of order.
    """

    def __init__(self, n_features: int, width: int = 32) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.Linear(n_features, width), nn.GELU(), nn.Linear(width, 1))

    def forward(self, features: Tensor, lengths: Tensor | None) -> Tensor:
        """Logits (B,) of normalised features (B, T, F); large where out of order.

        Args:
            lengths: (B,) frames of each clip, at least 1; None for all T.
        """
        if lengths is None:
            lengths = torch.full((len(features),), features.shape[1], device=features.device)
        steps = (features[:, 1:] - features[:, :-1]).abs()
        strays = (features - _mean(features, lengths)[:, None]).abs()
        ratios = _mean(steps, lengths - 1) / (_mean(strays, lengths) + STILL)
        return self.head(ratios)[:, 0]


class TMRNetworks(nn.Module):
    """The three together, for batches that are padded already.

    Args:
        sizes: of all three.
        dropout: in training; TMR's.
    """

    def __init__(self, sizes: TMRSizes, dropout: float = 0.1) -> None:
        super().__init__()
        self.sizes = sizes
        width, layers, heads, inner = sizes.width, sizes.layers, sizes.heads, sizes.feed_forward
        items = -(-sizes.max_frames // sizes.frames_per_token)
        n_inputs = sizes.n_features * sizes.frames_per_token
        shape = (width, layers, heads, inner)
        self.motion_encoder = TMREncoder(n_inputs, *shape, items, sizes.variational, dropout)
        self.text_encoder = TMREncoder(
            sizes.text_width, *shape, MOST_WORDS, sizes.variational, dropout
        )
        self.order_head = OrderHead(sizes.n_features) if sizes.order else None
        self.motion_decoder: ActorDecoder | None = None
        if sizes.decoder:
            self.motion_decoder = ActorDecoder(
                n_inputs, 1, width, layers, heads, inner, dropout, items
            )

    def encode_motion(self, features: Tensor, lengths: Tensor | None) -> Latent:
        """The latent of normalised features (B, T, F), zero beyond each clip's end.

        Args:
            lengths: (B,) frames of each clip, at least 1; None lets all T count.
        """
        grouped = self._grouped(features)
        return self.motion_encoder(grouped, None if lengths is None else self._items(lengths))

    def embed_motion(self, features: Tensor, lengths: Tensor | None) -> Tensor:
        """Embeddings of length 1 of the latents' means, (B, D), or (B, D + 1) with an order head.

        Arguments as of `encode_motion`.
        """
        latents = self.encode_motion(features, lengths).mean
        return self.with_order(latents, self.disorder(features, lengths))

    def embed_text(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Embeddings of captions, of the same width; see `encode_text`."""
        return self.with_order(self.encode_text(tokens, lengths).mean, None)

    def disorder(self, features: Tensor, lengths: Tensor | None) -> Tensor | None:
        """How far frames are out of order, (B,) from 0 to 1, both included; None without a head."""
        if self.order_head is None:
            return None
        stretched = torch.sigmoid(self.order_head(features, lengths)) * (1 + 2 * MARGIN) - MARGIN
        return stretched.clamp(0, 1)

    def with_order(self, latents: Tensor, disorder: Tensor | None) -> Tensor:
        """Latents (B, D) at length 1, and disorder p (B,) as one more coordinate.

        (sqrt(1 - p^2) latent, p) has length 1 too. Texts have p = 0: their cosine with a motion is
        that of the latents times sqrt(1 - p^2), and nothing is left of a motion wholly out of
        order. Without a head the latents alone.
        """
        unit = nn.functional.normalize(latents, dim=-1)
        if self.order_head is None:
            return unit
        p = latents.new_zeros(len(latents)) if disorder is None else disorder
        return torch.cat(((1 - p.square()).sqrt()[:, None] * unit, p[:, None]), dim=-1)

    def encode_text(self, tokens: Tensor, lengths: Tensor) -> Latent:
        """The latent of captions' token features (B, L, W), of which the first `lengths` count."""
        return self.text_encoder(tokens, lengths)

    def decode(self, latents: Tensor, lengths: Tensor) -> Tensor:
        """Normalised features (B, T, F) of latents (B, D), zero beyond `lengths` (B,) frames.

        T is the largest of the lengths.
        """
        assert self.motion_decoder is not None, "these sizes have no decoder"
        actions = torch.zeros(len(latents), dtype=torch.int64, device=latents.device)
        grouped = self.motion_decoder(latents, actions, self._items(lengths))
        size = int(lengths.max())
        features = grouped.unflatten(-1, (-1, self.sizes.n_features)).flatten(1, 2)[:, :size]
        return features.masked_fill(~_mask(lengths, size)[..., None], 0.0)

    def _items(self, lengths: Tensor) -> Tensor:
        """Items of clips of so many frames; the last one may be filled up with the mean pose."""
        return -(-lengths // self.sizes.frames_per_token)

    def _grouped(self, features: Tensor) -> Tensor:
        """(B, items, frames per token * F) of (B, T, F)."""
        per_token = self.sizes.frames_per_token
        missing = -features.shape[1] % per_token
        padded = nn.functional.pad(features, (0, 0, 0, missing))
        return padded.unflatten(1, (-1, per_token)).flatten(2)


def pad_clips(clips: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Clips (T, F) as one batch (B, longest, F) with zeros behind each, and their frames (B,)."""
    lengths = torch.tensor([len(clip) for clip in clips])
    return pad_sequence(list(clips), batch_first=True), lengths


def _mean(values: Tensor, lengths: Tensor) -> Tensor:
    """Mean (B, F) over the first `lengths` (B,) of values (B, T, F); 0 where there is none."""
    kept = values.masked_fill(~_mask(lengths, values.shape[1])[..., None], 0.0)
    return kept.sum(1) / lengths.clamp(min=1)[:, None]


def _mask(lengths: Tensor, size: int) -> Tensor:
    mask = length_mask(lengths, size)
    assert mask is not None
    return mask


def sizes_of_state(state: Mapping[str, Tensor], heads: int, max_frames: int) -> TMRSizes:
    """The sizes that a `TMRNetworks.state_dict()` tells by its shapes, one frame a token.

    Args:
        heads, max_frames: leave no trace in the weights.

    Raises:
        UserError: a weight that tells a size is not there: these are no weights of TMR.
    """
    part = "motion_encoder.seqTransEncoder.layers"
    return TMRSizes(
        n_features=dimension(state, "motion_encoder.projection.weight", 1, PREFIX),
        text_width=dimension(state, "text_encoder.projection.weight", 1, PREFIX),
        width=dimension(state, "motion_encoder.projection.weight", 0, PREFIX),
        layers=layer_count(state, rf"{re.escape(part)}\.(\d+)\."),
        heads=heads,
        feed_forward=dimension(state, f"{part}.0.linear1.weight", 0, PREFIX),
        max_frames=max_frames,
        variational=dimension(state, "motion_encoder.tokens", 0, PREFIX) > 1,
        decoder=any(name.startswith("motion_decoder.") for name in state),
    )
