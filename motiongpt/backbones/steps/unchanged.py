"""Noticing that tensors have changed since they were looked at.

autograd refuses to hand out a tensor that was saved for a backward and changed in place since; it
counts the changes, so that nothing is copied or compared. That refusal is public
(`torch.autograd.Function`, "save_for_backward"), the count behind it is not.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor


class Unchanged:
    """Some tensors as they are now; keeps their memory, and copies nothing.

    Changes behind autograd's back, by `tensor.data`, are not seen.

    Raises:
        RuntimeError: tensors made in inference mode, whose changes nobody counts.
    """

    def __init__(self, tensors: Iterable[Tensor]) -> None:
        seen = [tensor.detach() for tensor in tensors]
        self._addresses = [tensor.data_ptr() for tensor in seen]
        with torch.inference_mode(False), torch.enable_grad():
            # Kept: torch 2.6 lets go of what was saved when the result is gone.
            self._result: Any = _Saved.apply(torch.ones((), requires_grad=True), *seen)

    def holds_for(self, tensors: Iterable[Tensor]) -> bool:
        """Whether `tensors` are the same ones, with the same values."""
        if [tensor.data_ptr() for tensor in tensors] != self._addresses:
            return False
        try:
            return len(self._result.grad_fn.saved_tensors) == len(self._addresses)
        except RuntimeError:  # "modified by an inplace operation"
            return False


class _Saved(torch.autograd.Function):
    """Saves tensors for a backward that nobody calls."""

    @staticmethod
    def forward(ctx: Any, one: Tensor, *tensors: Tensor) -> Tensor:
        ctx.save_for_backward(*tensors)
        return one.clone()
