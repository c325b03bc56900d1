"""ACTOR with action labels (Petrovich, Black, Varol: arXiv:2104.05670), and how it generates.

Shape letters: B batch, T frames, F features, A actions, N samples an action, D width and latent.
"""

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from motiongpt.codecs.actor.decoder import ActorDecoder, Condition, Queries
from motiongpt.codecs.actor.encoder import ActorEncoder, Summary
from motiongpt.codecs.actor.network import check_frames
from motiongpt.codecs.base import Gaussian
from motiongpt.errors import UserError

SameAction = Literal["random", "same", "interpolate"]
OtherAction = Literal["random", "same"]


class ActionActor(nn.Module):
    """A conditional variational autoencoder of clips that have an action.

    Args:
        n_features: F, all numbers of a frame; 6 for each of 24 rotations and of the translation in
            the paper.
        n_actions: A.
        width, layers, heads, feedforward, dropout, longest: as of `Actor`. The released training
            has 8 layers.
        summary: of `ActorEncoder`.
        condition, queries: of `ActorDecoder`.

    Raises:
        UserError: an option that does not exist, or a width that the heads or the sinusoids can't
            have.
    """

    def __init__(
        self,
        n_features: int,
        n_actions: int,
        width: int = 256,
        layers: int = 8,
        heads: int = 4,
        feedforward: int = 1024,
        dropout: float = 0.1,
        longest: int = 196,
        summary: Summary = "tokens",
        condition: Condition = "bias",
        queries: Queries = "sinusoid",
    ) -> None:
        super().__init__()
        self.longest = longest
        sizes = (n_features, n_actions, width, layers, heads, feedforward, dropout, longest)
        self.encoder = ActorEncoder(*sizes, summary=summary)
        self.decoder = ActorDecoder(*sizes, condition=condition, queries=queries)

    def encode(self, features: Tensor, actions: Tensor, lengths: Tensor | None = None) -> Gaussian:
        """Distribution of the latent (B, 1, D) of features (B, T, F) with `actions` (B,) int64.

        Args:
            lengths: (B,) frames of each row, None for all T.

        Raises:
            UserError: more frames than `longest`.
        """
        check_frames(features.shape[1], self.longest)
        found: Gaussian = self.encoder(features, actions, lengths)
        return found

    def decode(self, latents: Tensor, actions: Tensor, lengths: Tensor) -> Tensor:
        """Features (B, T, F) of latents (B, 1, D); T is the largest of `lengths` (B,).

        Beyond a row's length all is zero.

        Raises:
            UserError: more frames than `longest`.
        """
        check_frames(int(lengths.max()), self.longest)
        features: Tensor = self.decoder(latents[:, 0], actions, lengths)
        return features

    def generate(self, actions: Tensor, lengths: Tensor, latents: Tensor) -> Tensor:
        """N clips of each action, (N A, T, F): all actions once, then all again.

        Args:
            actions, lengths: (A,) int64, labels and frames.
            latents: (N A, D) in that order; see `generation_latents`.
        """
        times = len(latents) // len(actions)
        return self.decode(latents[:, None], actions.repeat(times), lengths.repeat(times))


def noise_rows(
    n_actions: int, samples: int, same_action: SameAction, other_action: OtherAction
) -> int:
    """How many rows of noise `generation_latents` takes."""
    per_action = samples if same_action == "random" else 1
    return per_action * (n_actions if other_action == "random" else 1)


def generation_latents(
    noise: Tensor,
    n_actions: int,
    samples: int,
    same_action: SameAction = "random",
    other_action: OtherAction = "random",
    factor: float = 1.0,
) -> Tensor:
    """Latents (N A, D) of N samples of A actions: all actions once, then all again.

    Args:
        noise: standard normal, (`noise_rows`, D); of several samples of several actions, all
            actions come first.
        same_action: what the samples of one action are to each other: "random", the "same", or
            "interpolate", evenly from minus the noise to the noise.
        other_action: whether each action has noise of its own ("random") or all have the "same".
        factor: that the noise is multiplied by; below 1 the clips are nearer to the average.

    Raises:
        UserError: an unknown mode, or another number of rows of noise than the modes need.
    """
    for value, known in (
        (same_action, get_args(SameAction)),
        (other_action, get_args(OtherAction)),
    ):
        if value not in known:
            raise UserError(f"unknown mode {value!r}; choose one of: {', '.join(known)}")
    rows = noise_rows(n_actions, samples, same_action, other_action)
    if len(noise) != rows:
        raise UserError(f"{len(noise)} rows of noise; these modes need {rows}")
    of_samples = samples if same_action == "random" else 1
    of_actions = n_actions if other_action == "random" else 1
    spread = noise.view(of_samples, of_actions, -1).expand(samples, n_actions, -1)
    if same_action == "interpolate":
        spread = spread * torch.linspace(-1.0, 1.0, samples, device=noise.device)[:, None, None]
    return factor * spread.flatten(0, 1)
