"""Modules whose own numbers stay float32 when the rest of a model is made smaller."""

from collections.abc import Callable

from torch import Tensor, nn


class Float32State(nn.Module):
    """A module whose own parameters and buffers change their device, but never their type.

    Its children are converted like any other module.
    """

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
        """What `to`, `half` and `bfloat16` call; `fn` may convert and move at once."""
        if recurse:
            for child in self.children():
                child._apply(fn)

        def moved(values: Tensor) -> Tensor:
            converted = fn(values)
            if converted.dtype == values.dtype:
                return converted
            return values.to(converted.device)

        return super()._apply(moved, recurse=False)
