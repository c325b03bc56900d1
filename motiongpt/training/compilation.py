"""torch.compile for the networks of a stage, in place: names of weights and what is saved stay."""

from collections.abc import Iterable

from torch import nn


def compile_parts(parts: Iterable[nn.Module], backend: str = "inductor") -> None:
    """Compile each module's forward for inputs of any length.

    `Module.compile` keeps the module itself, unlike `torch.compile(module)`, whose weights are
    called `_orig_mod.…`.

    Args:
        backend: a name that torch.compile knows.
    """
    for part in parts:
        part.compile(dynamic=True, backend=backend)
