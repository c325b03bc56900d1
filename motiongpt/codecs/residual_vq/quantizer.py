"""Residual quantisation: each codebook quantises what the codebooks before it leave over.

One codebook is the platform's own `EMAResetQuantizer`. The quantizers of vector-quantize-pytorch
expire codes at random, start by k-means and smooth their counts, so that they give other codebooks
than MoMask's released code from the first step on.
Shape letters: B batch, L tokens, D numbers of a code, Q codebooks, K codes of each.
"""

from typing import Any

import torch
from torch import Tensor, nn

from motiongpt.codecs.vq_vae.quantizers.base import Quantised
from motiongpt.codecs.vq_vae.quantizers.ema_reset import EMAResetQuantizer
from motiongpt.distributed import from_first_process
from motiongpt.errors import UserError

NO_CODE = -1
"""Stands for a codebook that a token has no code of; its vector is zero."""
ONCE, EACH_CODEBOOK = "once", "each_codebook"
GRADIENTS = (ONCE, EACH_CODEBOOK)


class DrawingQuantizer(EMAResetQuantizer):
    """One codebook, whose codes training draws: the nearer the likelier.

    Args:
        codebook_size, code_dim, decay: see `EMAQuantizer`.
        temperature: squared distances are divided by it before Gumbel noise is added; 0 takes the
            nearest code in training too.
    """

    def __init__(
        self, codebook_size: int, code_dim: int, decay: float = 0.99, temperature: float = 0.5
    ) -> None:
        super().__init__(codebook_size, code_dim, decay)
        self.temperature = temperature

    @torch.no_grad()
    def nearest(self, rows: Tensor) -> Tensor:
        """Index (...) int64 of a code for each vector (..., D): the nearest; in training drawn."""
        if not self.training or not self.temperature:
            return super().nearest(rows)
        likelihood = -self.distances(rows) / self.temperature
        return (likelihood + gumbel_noise(likelihood)).argmax(-1).view(rows.shape[:-1])


class ResidualQuantizer(nn.Module):
    """Q codebooks, one after the other; a token's vector is the sum of its codes.

    Training sometimes leaves the last codebooks out for a whole batch, so that the first ones alone
    mean something (quantisation dropout, MoMask's section 3.1). What is left out gets no update.

    Args:
        codebooks: Q.
        codebook_size, code_dim, decay, temperature: of each, see `DrawingQuantizer`.
        dropout: probability of leaving some out: then all after one that is drawn, which may be the
            last; the first is never left out.
        gradient: of the decoder's input for the encoder's output: "once", as straight-through
            estimation says, or "each_codebook": once for each codebook in use, as released, since
            every codebook passes on a copy of its own.

    Raises:
        UserError: no codebook, another gradient, or a probability that is none.
    """

    def __init__(
        self,
        codebooks: int,
        codebook_size: int,
        code_dim: int,
        decay: float = 0.99,
        temperature: float = 0.5,
        dropout: float = 0.2,
        gradient: str = ONCE,
    ) -> None:
        super().__init__()
        if codebooks < 1:
            raise UserError(f"codebooks is {codebooks}; expected 1 or more")
        if gradient not in GRADIENTS:
            raise UserError(f"gradient is {gradient!r}; choose one of: {', '.join(GRADIENTS)}")
        if not 0 <= dropout <= 1 or not temperature >= 0:
            raise UserError(
                f"codebook_dropout={dropout} must lie between 0 and 1, temperature={temperature} "
                "must be 0 or more"
            )
        self.dropout, self.gradient = dropout, gradient
        self.layers = nn.ModuleList(
            DrawingQuantizer(codebook_size, code_dim, decay, temperature) for _ in range(codebooks)
        )

    def forward(
        self, latents: Tensor, mask: Tensor | None = None, positions: Tensor | None = None
    ) -> Quantised:
        """Quantise latents (B, D, L); see `Quantizer.forward`.

        Loss and perplexity are means over the codebooks in use; codes are (B, L, Q), `NO_CODE` for
        codebooks that are left out.
        """
        latents = latents.float()
        total, residual = torch.zeros_like(latents), latents
        found: list[Quantised] = []
        for layer in self.layers[: self.in_use()]:
            found.append(layer(residual, mask, positions))
            total = total + found[-1].vectors
            residual = residual - found[-1].vectors.detach()
        if self.gradient == ONCE:
            total = total.detach() + (latents - latents.detach())
        codes = [one.codes for one in found]
        codes += [torch.full_like(codes[0], NO_CODE)] * (len(self.layers) - len(found))
        return Quantised(
            vectors=total,
            codes=torch.stack(codes, -1),
            loss=torch.stack([one.loss for one in found]).mean(),
            perplexity=torch.stack([one.perplexity for one in found]).mean(),
        )

    def in_use(self) -> int:
        """How many codebooks this batch gets; the same on all processes, which update together."""
        if not self.training or not self.dropout:
            return len(self.layers)
        device = self.layers[0].get_buffer("codebook").device
        leaves_out, last = from_first_process(torch.rand(2, device=device)).tolist()
        count = len(self.layers)
        return kept_codebooks(leaves_out, int(last * count), count, self.dropout)

    @torch.no_grad()
    def nearest(self, rows: Tensor) -> Tensor:
        """Codes (..., Q) int64 of vectors (..., D)."""
        codes, residual = [], rows.float()
        for layer in self._codebooks:
            codes.append(layer.nearest(residual))
            residual = residual - layer.look_up(codes[-1])
        return torch.stack(codes, -1)

    def look_up(self, codes: Tensor) -> Tensor:
        """Vectors (..., D) of codes (..., up to Q): the sums of `look_up_each`."""
        return self.look_up_each(codes).sum(0)

    def look_up_each(self, codes: Tensor) -> Tensor:
        """Vectors (up to Q, ..., D) of codes (..., up to Q), zero for `NO_CODE`."""
        return torch.stack(
            [
                layer.look_up(column.clamp(min=0)).masked_fill((column == NO_CODE)[..., None], 0.0)
                for layer, column in zip(self._codebooks, codes.unbind(-1), strict=False)
            ]
        )

    def code_vectors(self) -> Tensor:
        """Vectors (Q, K, D) of the codes of each codebook, without gradient."""
        return torch.stack([layer.codebook.detach().float() for layer in self._codebooks])

    @property
    def _codebooks(self) -> list[DrawingQuantizer]:
        return [layer for layer in self.layers if isinstance(layer, DrawingQuantizer)]

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments besides the sizes, fit for JSON."""
        first = self._codebooks[0]
        return {
            "decay": first.decay,
            "temperature": first.temperature,
            "codebook_dropout": self.dropout,
            "gradient": self.gradient,
        }


def kept_codebooks(leaves_out: float, last: int, codebooks: int, dropout: float) -> int:
    """How many of the codebooks a batch gets.

    Args:
        leaves_out: uniform in [0, 1); below `dropout` some are left out.
        last: number of the last one that is then in use.
    """
    return last + 1 if leaves_out < dropout else codebooks


def gumbel_noise(like: Tensor) -> Tensor:
    """Standard Gumbel noise in the shape of `like`; its argmax is a draw from the softmax."""
    return -torch.empty_like(like).exponential_().log()
