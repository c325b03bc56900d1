"""A loss or a weight that is no number any more: noticed soon, told with its likely cause.

On a GPU each look at a number waits for all work, so losses are judged on the device and the answer
is read every few steps, before a checkpoint, and at the end.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError

EVERY = 10
"""Steps between two looks."""
NEVER = 2**62


class LossWatch:
    """Remembers, on the device, the first step whose loss was not finite."""

    def __init__(self) -> None:
        self._first: Tensor | None = None

    def see(self, step: int, loss: Tensor) -> None:
        """Judge the loss of a step, counted from 1; nothing is read from the device."""
        found = torch.where(torch.isfinite(loss.detach()).all(), NEVER, step)
        self._first = found if self._first is None else torch.minimum(self._first, found)

    def first(self) -> Tensor:
        """() that step, or NEVER; on the device."""
        return torch.tensor(NEVER) if self._first is None else self._first


class PlainWatch:
    """For plain loops of one process: ends one whose loss or weights are not finite.

    Args:
        name: what is trained, for the message.
        steps: of the loop.
        advice: what is the likely cause, and how to mend it.
    """

    def __init__(self, name: str, steps: int, advice: str) -> None:
        self.name, self.steps, self.advice, self._watch = name, steps, advice, LossWatch()

    def see(self, step: int, loss: Tensor, weights: Iterable[nn.Parameter]) -> None:
        """Judge a step, counted from 1, after the optimizer; at the last one the weights too.

        Raises:
            UserError: the loss of this or of an earlier step was not finite, or a weight is not.
        """
        self._watch.see(step, loss)
        if step % EVERY and step != self.steps:
            return
        first = int(self._watch.first())
        if first != NEVER:
            raise not_finite(self.name, "the loss", first, self.steps, self.advice)
        if step == self.steps and not are_finite(weights):
            raise not_finite(self.name, "a weight", step, self.steps, self.advice)


def are_finite(weights: Iterable[nn.Parameter]) -> bool:
    """Whether all are; the device is asked once. Of a weight that is shared out, the part here."""
    found = [torch.isfinite(_here(weight.detach())).all() for weight in weights]
    return not found or bool(torch.stack(found).all())


def _here(values: Tensor) -> Tensor:
    return values.to_local() if hasattr(values, "to_local") else values


def not_finite(name: str, what: str, step: int, steps: int, advice: str) -> UserError:
    """One line on what ended a training.

    Args:
        what: is not finite.
        step: since when.
        advice: see `PlainWatch`.
    """
    return UserError(f"{name}: {what} is not finite since step {step} of {steps}; {advice}")


def likely_cause(
    name: str,
    store: MotionStore,
    clips: Iterable[int],
    precision: str,
    rate: float,
    is_clipped: bool,
) -> str:
    """What most likely made a loss not finite, and what to set.

    Args:
        name: of the stage.
        clips: indices of those that it trains on; looked through for numbers that are not finite.
        precision: as Lightning names it.
        rate: the learning rate when it ended.
        is_clipped: whether long gradients are cut already.
    """
    bad = next((i for i in clips if not _is_finite(store, int(i))), None)
    if bad is not None:
        return (
            f"the data are the cause: clip {store.names[int(bad)]} of {store.name} has features "
            "that are not finite; mend or remove it (`motiongpt data verify`) and prepare anew"
        )
    mend = f"set a smaller stage.{name}.learning_rate"
    if not is_clipped:
        mend += f" or stage.{name}.schedule.gradient_clip=1"
    if precision.startswith("16"):
        mend = f"set trainer.precision=bf16-mixed or 32-true, which reach further; else {mend}"
        return f"likely the precision ({precision}) or the learning rate ({rate:.3g}): {mend}"
    return f"likely the learning rate ({rate:.3g}): {mend}"


def _is_finite(store: MotionStore, index: int) -> bool:
    return bool(torch.isfinite(torch.from_numpy(store.features(index))).all())
