"""Noise of a latent, and the way back step by step (DDPM, arXiv:2006.11239).

Shapes: B batch, … any, the latent's own; S steps that sampling visits.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from motiongpt.errors import UserError

STEPS, FIRST, LAST = 1000, 0.00085, 0.012
"""Of the whole diffusion, and the variances of its first and last step (MotionGPT3's)."""

Noise = Callable[[Tensor, Tensor], Tensor]
"""From latents (B, …) and steps (B,) of the whole diffusion to the noise in them."""


class Diffusion:
    """A chain of steps of which sampling visits some; variances grow evenly over the whole.

    Sampling visits `count` steps, evenly spread and rounded, the first and the last among them;
    their variances are rebuilt of the products that they must have.

    Args:
        count: S; None for the whole chain, as in training.

    Attributes:
        visited: (S,) int64 steps of the whole diffusion, ascending.
        kept: (S,) float64, share of the latent's variance that is left at each.

    Raises:
        UserError: a count that the chain has not.
    """

    def __init__(self, count: int | None = None) -> None:
        count = STEPS if count is None else count
        if type(count) is not int or not 1 <= count <= STEPS:
            raise UserError(
                f"steps={count} of the diffusion; choose 1 to {STEPS}, as it is trained for"
            )
        whole = torch.cumprod(1 - torch.linspace(FIRST, LAST, STEPS, dtype=torch.float64), 0)
        self.visited = visited_steps(count)
        self.kept = whole[self.visited]
        before = torch.cat((torch.ones(1, dtype=torch.float64), self.kept[:-1]))
        self.variances = 1 - self.kept / before
        self.posterior_variances = self.variances * (1 - before) / (1 - self.kept)
        # The first is 0, whose logarithm is none; nothing is drawn there.
        least = self.posterior_variances[1:2] if count > 1 else self.variances[:1]
        self.posterior_log_variances = torch.cat((least, self.posterior_variances[1:])).log()
        self.of_clean = self.variances * before.sqrt() / (1 - self.kept)
        self.of_noisy = (1 - before) * (1 - self.variances).sqrt() / (1 - self.kept)

    def add_noise(self, latents: Tensor, noise: Tensor, steps: Tensor) -> Tensor:
        """Latents (B, …) at numbers `steps` (B,) of the visited ones, each with its noise."""
        kept = self.kept.to(latents.device)[steps].float()
        kept = kept.view(-1, *[1] * (latents.dim() - 1))
        return kept.sqrt() * latents + (1 - kept).sqrt() * noise

    def back(self, latents: Tensor, noise: Tensor, number: int, drawn: Tensor) -> Tensor:
        """Latents (B, …) one visited step earlier.

        Args:
            noise: what is predicted to be in them.
            number: of the step among the visited ones.
            drawn: (B, …) standard normal, times a temperature; not looked at in the last step.
        """
        kept = float(self.kept[number])
        clean = latents / kept**0.5 - (1 / kept - 1) ** 0.5 * noise
        mean = float(self.of_clean[number]) * clean + float(self.of_noisy[number]) * latents
        if number == 0:
            return mean
        return mean + float((0.5 * self.posterior_log_variances[number]).exp()) * drawn

    def sample(
        self, noise_of: Noise, latents: Tensor, drawn: Tensor, temperature: float = 1.0
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """After each step, from the noisiest on: latents (B, …), and the noise that was predicted.

        Args:
            latents: (B, …) standard normal, to begin with.
            drawn: (S, B, …) standard normal, the first used first.
        """
        for position, number in enumerate(reversed(range(len(self.visited)))):
            step = torch.full((len(latents),), int(self.visited[number]), device=latents.device)
            noise = noise_of(latents, step)
            latents = self.back(latents, noise, number, temperature * drawn[position])
            yield latents, noise


def visited_steps(count: int) -> Tensor:
    """(count,) int64 of the whole diffusion, evenly spread and rounded; one alone is the last."""
    if count == 1:
        return torch.tensor([STEPS - 1])
    stride = (STEPS - 1) / (count - 1)
    at, found = 0.0, []
    for _ in range(count):
        found.append(round(at))
        at += stride
    return torch.tensor(found)


def guided_noise(
    network: Callable[[Tensor, Tensor, Tensor], Tensor],
    hidden: Tensor,
    null_hidden: Tensor,
    scale: float,
) -> Noise:
    """Noise with classifier-free guidance (arXiv:2207.12598).

    Args:
        network: called with latents, steps and hidden states.
        hidden: (B, …) of what is asked.
        null_hidden: the same shape, or one that expands to it: of nothing.
        scale: how far to go from the noise without words through that with them; 1 listens to the
            words alone, in half the time.
    """
    if scale == 1:
        return lambda latents, steps: network(latents, steps, hidden)
    both = torch.cat((hidden, null_hidden.expand_as(hidden)))

    def noise(latents: Tensor, steps: Tensor) -> Tensor:
        twice = latents.repeat(2, *[1] * (latents.dim() - 1))
        told, without = network(twice, steps.repeat(2), both).chunk(2)
        return without + scale * (told - without)

    return noise
