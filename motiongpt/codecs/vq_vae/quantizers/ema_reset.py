"""Moving-average codebook whose unused codes are reset to vectors of the batch."""

import torch
from torch import Tensor

from motiongpt.codecs.vq_vae.quantizers.ema import EMAQuantizer

# A code counts as used when its average number of vectors a step is at least this (as released).
USED = 1.0


class EMAResetQuantizer(EMAQuantizer):
    """MotionGPT's quantizer (arXiv:2306.14795, section 3.1).

    A reset changes the code but not its averages, as released: a code leaves the reset only when
    its count has risen to 1 vector a step, so the codebook should be smaller than a batch has
    vectors.
    """

    def renewed(self, mean: Tensor, vectors: Tensor) -> Tensor:
        """Averages (K, D) where a code is used, else vectors (K, D) of this batch (N, D)."""
        used = (self.code_count >= USED)[:, None]
        return torch.where(used, mean, self.candidates(vectors))
