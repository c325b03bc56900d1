"""ACTOR (Petrovich, Black, Varol: arXiv:2104.05670) without action labels, on motion features.

MLD's rewrite (Chen et al., arXiv:2212.04048): one token for the mean and one for the log-variance
in the place of one a class, and no class bias in the decoder. It is the ACTOR among the
autoencoders that MotionGPT (arXiv:2306.14795) compares its tokenizer with. `action_network` has
labels.

Shape letters: B batch, T frames, F features, D width and latent.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from motiongpt.codecs.actor.decoder import ActorDecoder
from motiongpt.codecs.actor.encoder import ActorEncoder
from motiongpt.codecs.base import ContinuousCodec, Gaussian
from motiongpt.errors import UserError


class Actor(ContinuousCodec):
    """A transformer that reads a clip into one vector, and one that decodes it from there.

    Args:
        n_features: F.
        width: D, of the layers and of the latent.
        layers: of each of the two transformers; 9 is the default of MLD's class.
        heads, feedforward, dropout: of their layers.
        longest: frames of the longest clip; 196 is HumanML3D's.

    Raises:
        UserError: a width that the heads or the sinusoids can't have.
    """

    def __init__(
        self,
        n_features: int,
        width: int = 256,
        layers: int = 9,
        heads: int = 4,
        feedforward: int = 1024,
        dropout: float = 0.1,
        longest: int = 196,
    ) -> None:
        super().__init__()
        self.n_features, self.longest = n_features, longest
        self._sizes = {
            "width": width,
            "layers": layers,
            "heads": heads,
            "feedforward": feedforward,
            "dropout": dropout,
            "longest": longest,
        }
        self.encoder = ActorEncoder(n_features, 1, **self._sizes)  # type: ignore[arg-type]
        self.decoder = ActorDecoder(n_features, 1, **self._sizes)  # type: ignore[arg-type]

    def encode(self, features: Tensor, lengths: Tensor | None = None) -> Gaussian:
        """See `ContinuousCodec.encode`; the latent is (B, 1, D).

        Raises:
            UserError: more frames than `longest`.
        """
        check_frames(features.shape[1], self.longest)
        found: Gaussian = self.encoder(features, _no_actions(features), lengths)
        return found

    def decode(self, latents: Tensor, lengths: Tensor) -> Tensor:
        """See `ContinuousCodec.decode`.

        Raises:
            UserError: more frames than `longest`.
        """
        check_frames(int(lengths.max()), self.longest)
        features: Tensor = self.decoder(latents[:, 0], _no_actions(latents), lengths)
        return features

    def compiled_parts(self) -> Sequence[nn.Module]:
        """See `Codec.compiled_parts`."""
        return [self.encoder, self.decoder]

    def arguments(self) -> dict[str, Any]:
        """See `Codec.arguments`."""
        return {"n_features": self.n_features, **self._sizes}


def check_frames(frames: int, longest: int | None) -> None:
    """Refuse clips that have more frames than there are positions.

    Raises:
        UserError: names both numbers.
    """
    if longest is not None and frames > longest:
        raise UserError(
            f"ACTOR takes clips of at most {longest} frames, not {frames}; cut them or raise "
            "codec.longest"
        )


def _no_actions(rows: Tensor) -> Tensor:
    """The one label that there is, for each row."""
    return torch.zeros(len(rows), dtype=torch.int64, device=rows.device)
