"""Moving-average codebook whose unused codes are reset to vectors of the batch."""

from torch import Tensor

from motiongpt.tokenizers.quantizers.ema import EMAQuantizer


class EMAResetQuantizer(EMAQuantizer):
    """MotionGPT's quantizer (arXiv:2306.14795, section 3.1).

    A reset changes the code but not its averages, as released: a code leaves the reset only when
    its count has risen to 1 vector a step, so the codebook should be smaller than a batch has
    vectors.
    """

    def instead_of_unused(self, vectors: Tensor) -> Tensor:
        """Vectors (K, D) of this batch (N, D)."""
        return self.candidates(vectors)
