"""How much noise a latent has at each step of the diffusion, and the way back (DDIM).

Shapes: B batch, … any, the latent's own.
"""

from typing import Any

import torch
from torch import Tensor

from motiongpt.errors import UserError
from motiongpt.float32_state import Float32State


def check_sampling_steps(count: int, trained: int) -> None:
    """Refuse numbers of steps that DDIM can't go through.

    Raises:
        UserError: fewer than one, or not fewer than the diffusion's.
    """
    if not 1 <= count < trained:
        raise UserError(
            f"method mld: steps={count}; choose 1 to {trained - 1}, fewer than the diffusion's "
            f"{trained}"
        )


class NoiseSchedule(Float32State):
    """Variances of DDPM (arXiv:2006.11239), spaced as in latent diffusion (arXiv:2112.10752).

    The square roots of the variances are evenly spaced. A latent at step t is
    sqrt(a_t) x latent + sqrt(1 - a_t) x noise, a_t the product of 1 - variance up to t.

    Args:
        steps: of the whole diffusion.
        first, last: variance of the noise added at the first and at the last step.

    Raises:
        UserError: variances that are none, or no steps.
    """

    variances: Tensor
    kept: Tensor

    def __init__(self, steps: int = 1000, first: float = 0.00085, last: float = 0.012) -> None:
        super().__init__()
        if steps < 1 or not 0 < first <= last < 1:
            raise UserError(
                f"noise: {steps} steps with variances from {first} to {last}; expected 1 or more "
                "steps, and variances that grow between 0 and 1"
            )
        self.steps, self.first, self.last = steps, first, last
        roots = torch.linspace(first**0.5, last**0.5, steps, dtype=torch.float64)
        variances = roots**2
        self.register_buffer("variances", variances.float(), persistent=False)
        self.register_buffer("kept", (1 - variances).cumprod(0).float(), persistent=False)

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments, fit for JSON."""
        return {"steps": self.steps, "first": self.first, "last": self.last}

    def add_noise(self, latents: Tensor, noise: Tensor, steps: Tensor) -> Tensor:
        """Latents (B, …) at `steps` (B,) int64, each with its `noise` (B, …)."""
        kept = self.kept[steps].view(-1, *[1] * (latents.dim() - 1))
        return kept.sqrt() * latents + (1 - kept).sqrt() * noise

    def sampling_steps(self, count: int) -> list[int]:
        """The `count` steps that sampling visits, from the noisiest on.

        They are `stride(count)` apart and end at 1, as the released sampler has it.

        Raises:
            UserError: a count that the diffusion has not.
        """
        stride = self.stride(count)
        return [index * stride + 1 for index in reversed(range(count))]

    def stride(self, count: int) -> int:
        """Steps between two that sampling visits.

        Raises:
            UserError: as `sampling_steps`.
        """
        check_sampling_steps(count, self.steps)
        return self.steps // count

    def clean(self, latents: Tensor, noise: Tensor, step: int) -> Tensor:
        """The latents without what is predicted to be `noise` in `latents` at `step`."""
        kept = self.kept[step]
        return (latents - (1 - kept).sqrt() * noise) / kept.sqrt()

    def denoise(self, latents: Tensor, noise: Tensor, step: int, stride: int) -> Tensor:
        """Latents `stride` steps earlier: equation 12 of DDIM (arXiv:2010.02502) with eta 0.

        Before step 0 there is still the noise of step 0, so that the last step leaves a little.
        """
        earlier = self.kept[max(step - stride, 0)]
        return earlier.sqrt() * self.clean(latents, noise, step) + (1 - earlier).sqrt() * noise
