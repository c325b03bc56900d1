"""A codebook that starts as vectors of the first training batch."""

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor

from motiongpt.codecs.vq_vae.quantizers.base import Quantizer
from motiongpt.distributed import first_rows, from_first_process

# Spread of the copies when a batch has fewer vectors than the codebook has codes (as released).
COPY_NOISE = 0.01


class BatchCodebook(Quantizer):
    """Base of the quantizers whose codebook (K, D) learns from batches, not from gradients.

    The whole state is in the state_dict, `initialised` included: the released code leaves it out,
    so that resuming a run begins with a new codebook.
    """

    initialised: Tensor

    def __init__(self, codebook_size: int, code_dim: int) -> None:
        super().__init__()
        self.register_buffer("codebook", torch.zeros(codebook_size, code_dim))
        self.register_buffer("initialised", torch.tensor(False))
        self._known_initialised = False

    @torch.no_grad()
    def prepare(self, vectors: Tensor) -> None:
        """Take the codebook from the first batch, vectors (N, D)."""
        if self._known_initialised:  # the buffer may be on a GPU, which would have to be waited for
            return
        if not self.initialised:
            self.codebook.copy_(self.candidates(vectors))
            self.initialised.fill_(True)
            self.start_statistics()
        self._known_initialised = True

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self._known_initialised = False

    @abstractmethod
    def start_statistics(self) -> None:
        """Called once, when the codebook has been taken from the first batch."""

    def candidates(self, vectors: Tensor) -> Tensor:
        """K vectors of the batch (N, D): its first ones, or noisy copies where there are fewer.

        Batches are shuffled, so the first ones are as good as random ones. All processes get the
        same.
        """
        size, dim = self.codebook.shape
        rows = first_rows(vectors, size)
        if len(rows) < size:
            rows = rows.repeat(-(-size // len(rows)), 1)
            rows = rows + torch.randn_like(rows) * (COPY_NOISE / dim**0.5)
        return from_first_process(rows[:size].contiguous())
