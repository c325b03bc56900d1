"""Networks of which a part is trained beside weights that stay: checkpoints leave these out.

They come from where the network was read, which a run that goes on does again.
"""

from typing import Any

from torch import Tensor, nn


def has_frozen(module: nn.Module) -> bool:
    """Whether any weight stays as it is."""
    return not all(value.requires_grad for value in module.parameters())


def changed_weights(module: nn.Module) -> dict[str, Tensor]:
    """The module's state by name, without its frozen weights; nothing is copied."""
    return {
        name: value
        for name, value in module.state_dict(keep_vars=True).items()
        if value.requires_grad or not isinstance(value, nn.Parameter)
    }


def leave_out_frozen(module: nn.Module, state: dict[str, Any]) -> dict[str, Any]:
    """`state`, which is the module's as a checkpoint has it, without its frozen weights."""
    kept = changed_weights(module)
    return {name: value for name, value in state.items() if name in kept}
