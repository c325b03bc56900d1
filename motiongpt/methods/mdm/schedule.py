"""How much noise a motion has at each step of the diffusion, and the way back, step by step.

All of it in float64, the noise of each step given by the caller: a request's motion then depends on
its own stream of random numbers alone. (The schedulers of diffusers hold float32 and draw noise
themselves.) Shapes: N steps, B batch, … any, the motion's own.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from motiongpt.errors import UserError
from motiongpt.float32_state import Float32State

MOST_VARIANCE = 0.999
COSINE_OFFSET = 0.008
LINEAR = (1e-4, 0.02)  # variances of the first and the last of `LINEAR_STEPS` steps
LINEAR_STEPS = 1000


class Chain(Float32State):
    """The steps that a motion goes through, forth and back (DDPM, arXiv:2006.11239).

    Args:
        variances: (N,) float64 of the noise that each step adds.
        numbers: (N,) int64, what the network calls each of them.

    Attributes:
        kept, kept_before: (N,) float64, share of the motion's variance after and before a step.
        clean_weight, noisy_weight: (N,) float64 of equation 7: mean of the motion one step earlier.
        spread: (N,) float64 variance of it, without noise from the network.
        log_spread: its logarithm; that of the first step, which is 0, is the second's.
    """

    variances: Tensor
    numbers: Tensor
    kept: Tensor
    kept_before: Tensor
    clean_weight: Tensor
    noisy_weight: Tensor
    spread: Tensor
    log_spread: Tensor

    def __init__(self, variances: Tensor, numbers: Tensor) -> None:
        super().__init__()
        kept = (1 - variances).cumprod(0)
        before = torch.cat((kept.new_ones(1), kept[:-1]))
        spread = variances * (1 - before) / (1 - kept)
        for name, values in {
            "variances": variances,
            "numbers": numbers,
            "kept": kept,
            "kept_before": before,
            "clean_weight": variances * before.sqrt() / (1 - kept),
            "noisy_weight": (1 - before) * (1 - variances).sqrt() / (1 - kept),
            "spread": spread,
            # of a chain of one step nothing is ever used: it ends in the motion itself
            "log_spread": torch.cat((spread[1:2] if len(spread) > 1 else kept, spread[1:])).log(),
        }.items():
            self.register_buffer(name, values, persistent=False)

    def __len__(self) -> int:
        return len(self.variances)

    def add_noise(self, clean: Tensor, noise: Tensor, indices: Tensor) -> Tensor:
        """Motions (B, …) at the steps of `indices` (B,) int64, each with its `noise` (B, …)."""
        kept = self.kept[indices]
        return _over(kept.sqrt(), clean) * clean + _over((1 - kept).sqrt(), noise) * noise

    def mean(self, clean: Tensor, noisy: Tensor, indices: Tensor) -> Tensor:
        """What a motion one step earlier is on average, given `clean` and `noisy` (B, …)."""
        found: Tensor = _over(self.clean_weight[indices], clean) * clean
        return found + _over(self.noisy_weight[indices], noisy) * noisy

    def earlier(
        self, clean: Tensor, noisy: Tensor, index: int, noise: Callable[[], Tensor]
    ) -> Tensor:
        """The motions (B, …) one step before `index`.

        Args:
            noise: gives (B, …) standard normal; not called for the first step, which leaves none.
        """
        indices = torch.full((len(noisy),), index, device=noisy.device)
        mean = self.mean(clean, noisy, indices)
        if index == 0:
            return mean
        return mean + (0.5 * self.log_spread[index]).exp().to(mean.dtype) * noise()

    def chosen(self, indices: Sequence[int]) -> "Chain":
        """The same diffusion through some of its steps alone, ascending."""
        rows = torch.as_tensor(indices, device=self.kept.device)
        kept = self.kept[rows]
        before = torch.cat((kept.new_ones(1), kept[:-1]))
        return Chain(1 - kept / before, self.numbers[rows])

    def spaced(self, count: int) -> "Chain":
        """The same through `count` steps, as even as whole numbers are, the first and the last too.

        One step alone is the last, the noisiest.

        Raises:
            UserError: a count that the diffusion has not.
        """
        check_steps(count, len(self))
        if count == len(self):
            return self
        return self.chosen(evenly(len(self), count) if count > 1 else [len(self) - 1])


class NoiseSchedule(Chain):
    """The whole diffusion that a network is trained on.

    Args:
        steps: N; 1,000 in the paper, 50 in the model that was released later.
        kind: "cosine" (arXiv:2102.09672, equation 17), as in the paper, or "linear".

    Raises:
        UserError: no steps, or another kind.
    """

    def __init__(self, steps: int = 1000, kind: str = "cosine") -> None:
        if type(steps) is not int or steps < 1:
            raise UserError(f"noise: steps={steps}; expected a number, 1 or more")
        if kind not in KINDS:
            raise UserError(f"noise: kind={kind}; choose one of: {', '.join(KINDS)}")
        super().__init__(KINDS[kind](steps), torch.arange(steps))
        self.kind = kind

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments, fit for JSON."""
        return {"steps": len(self), "kind": self.kind}


def evenly(total: int, count: int) -> list[int]:
    """`count` numbers, 2 or more, of 0 … total - 1, both ends among them; halves to even."""
    stride = (total - 1) / (count - 1)
    found, at = [], 0.0
    for _ in range(count):
        found.append(round(at))
        at += stride
    return found


def check_steps(count: int, trained: int | None) -> None:
    """Refuse numbers of sampling steps that make no sense.

    Args:
        trained: steps of the whole diffusion; None where that is not known yet.

    Raises:
        UserError: fewer than one, or more than were trained.
    """
    if type(count) is not int or count < 1 or (trained is not None and count > trained):
        most = f"1 to {trained}, those that are trained" if trained is not None else "1 or more"
        raise UserError(f"method mdm: steps={count}; choose {most}")


def _cosine(steps: int) -> Tensor:
    def kept(share: float) -> float:
        return math.cos((share + COSINE_OFFSET) / (1 + COSINE_OFFSET) * math.pi / 2) ** 2

    found = [1 - kept((step + 1) / steps) / kept(step / steps) for step in range(steps)]
    return torch.tensor(found, dtype=torch.float64).clamp(max=MOST_VARIANCE)


def _linear(steps: int) -> Tensor:
    first, last = (LINEAR_STEPS / steps * variance for variance in LINEAR)
    return torch.linspace(first, last, steps, dtype=torch.float64).clamp(max=MOST_VARIANCE)


KINDS: dict[str, Callable[[int], Tensor]] = {"cosine": _cosine, "linear": _linear}


def _over(values: Tensor, motion: Tensor) -> Tensor:
    """(B,) as a factor of motions (B, …), in their type."""
    return values.to(motion.dtype).view(-1, *[1] * (motion.dim() - 1))
