"""Weights of networks: read from files, compared with what a network needs, and loaded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from motiongpt.errors import UserError


def tensors_under(state: Mapping[str, Any], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, without it.

    Raises:
        UserError: something of that name is no tensor.
    """
    found = {name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)}
    for name, value in found.items():
        if not isinstance(value, Tensor):
            raise UserError(
                f"{prefix}{name}: expected a tensor, found {type(value).__name__}: the checkpoint "
                "is of another kind"
            )
    return found


def check_shapes(expected: Mapping[str, Tensor], found: Mapping[str, Tensor], prefix: str) -> None:
    """Refuse weights with a name missing or left over, or of another shape.

    Args:
        prefix: of the names in the file, for the message.

    Raises:
        UserError: names the first such weight, what was expected and what was found, and how many
            more there are.
    """
    wrong = [
        (name, *shapes)
        for name in sorted(expected.keys() | found.keys())
        if (shapes := (_shape(expected, name), _shape(found, name)))[0] != shapes[1]
    ]
    if wrong:
        name, wanted, there = wrong[0]
        more = f"; {len(wrong) - 1} more weights don't fit" if len(wrong) > 1 else ""
        raise UserError(f"{prefix}{name}: expected {wanted}, found {there}{more}")


def load_checked(network: nn.Module, state: Mapping[str, Tensor], prefix: str) -> None:
    """Load `state` into `network`, every tensor of it.

    Args:
        prefix: see `check_shapes`.

    Raises:
        UserError: as `check_shapes`.
    """
    check_shapes(network.state_dict(), state, prefix)
    network.load_state_dict(dict(state))


def read_weights(path: Path, missing: str) -> dict[str, Tensor]:
    """The tensors of a safetensors file.

    Args:
        missing: what to say, after the path, of a file that is not there.

    Raises:
        UserError: no such file, or a damaged one.
    """
    try:
        return load_file(path)
    except FileNotFoundError:
        raise UserError(f"{path}: {missing}") from None
    except SafetensorError as error:
        raise UserError(f"{path}: damaged weights: {error}") from error


def dimension(state: Mapping[str, Tensor], name: str, axis: int, prefix: str) -> int:
    """Size of one axis of the tensor `name`.

    Raises:
        UserError: no such tensor, or one of fewer axes.
    """
    if name not in state:
        raise UserError(f"{prefix}{name}: expected this weight, found none of that name")
    shape = tuple(state[name].shape)
    if axis >= len(shape):
        raise UserError(f"{prefix}{name}: expected {axis + 1} axes or more, found shape {shape}")
    return int(shape[axis])


def _shape(state: Mapping[str, Tensor], name: str) -> str:
    return f"shape {tuple(state[name].shape)}" if name in state else "no such weight"
