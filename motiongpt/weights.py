"""Weights of networks: read from files, compared with what a network needs, and loaded.

What a file says of its weights is looked at before it costs memory: a tensor may repeat one number
a trillion times, or be of numbers that no network has.
"""

import math
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from motiongpt.errors import UserError
from motiongpt.reading import file_size

FLOATING = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
WHOLE = (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
MOST_SIZE = 100_000  # of what a description says of a network: widths, codes, layers, positions
LAYERS = ("depth", "layers", "blocks")  # arguments that repeat a part: each has weights

Network = TypeVar("Network", bound=nn.Module)


def tensors_under(state: Mapping[str, Any], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, without it.

    Raises:
        UserError: something of that name is no tensor, or one that can't hold weights: sparse,
            quantized, of complex numbers, without numbers, or with fewer than its shape says.
    """
    if odd := [name for name in state if not isinstance(name, str)]:
        raise UserError(f"{odd[0]!r}: expected a weight's name: the checkpoint is of another kind")
    found = {name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)}
    for name, value in found.items():
        if not isinstance(value, Tensor):
            raise UserError(
                f"{prefix}{name}: expected a tensor, found {type(value).__name__}: the checkpoint "
                "is of another kind"
            )
        problem = _tensor_problem(value)
        if problem:
            raise UserError(f"{prefix}{name}: expected plain weights, found {problem}")
    return found


def _tensor_problem(tensor: Tensor) -> str | None:
    shape = tuple(tensor.shape)
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type == "meta":
        kind = "quantized" if tensor.is_quantized else str(tensor.layout).removeprefix("torch.")
        return f"a tensor that is {kind if tensor.device.type != 'meta' else 'without numbers'}"
    if tensor.dtype not in FLOATING + WHOLE:
        return f"numbers of {tensor.dtype}"
    if len(shape) > 1 and not tensor.numel():
        return f"none, shape {shape}"
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        return f"fewer numbers than its shape {shape} says: some are repeated (stride 0)"
    return None


def check_weights(expected: Mapping[str, Tensor], found: Mapping[str, Tensor], prefix: str) -> None:
    """Refuse weights with a name missing or left over, of another shape or kind, or not finite.

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
    for name, tensor in found.items():
        if (tensor.dtype in FLOATING) != (expected[name].dtype in FLOATING):
            raise UserError(
                f"{prefix}{name}: expected {expected[name].dtype}, found {tensor.dtype}: weights "
                "of another kind; get them as they were trained"
            )
        if not _is_finite(tensor):
            raise UserError(
                f"{prefix}{name}: holds NaN or infinity: its training failed, or it is damaged; "
                "take an earlier checkpoint"
            )


def _is_finite(tensor: Tensor) -> bool:
    """By the least and the largest number, which takes no memory of the tensor's size."""
    if tensor.dtype not in FLOATING or not tensor.numel() or tensor.device.type == "meta":
        return True
    return all(math.isfinite(one.item()) for one in torch.aminmax(tensor))


def layer_count(names: Iterable[str], pattern: str) -> int:
    """How many layers there are by the largest number in their names; 0 where there is none.

    Args:
        pattern: regular expression for the beginning of a name, with the number as its group.

    Raises:
        UserError: a number larger than there are names: the layers below it are not there.
    """
    names = list(names)
    found = [(match[1], name) for name in names if (match := re.match(pattern, name))]
    for number, name in found:
        if len(number) > 9 or int(number) >= len(names):
            raise UserError(f"{name}: a layer of that number without those below it")
    return 1 + max((int(number) for number, _ in found), default=-1)


def check_sizes(arguments: Mapping[str, Any], weights: int, where: str) -> None:
    """Refuse a description of a network that would take all memory or time to build.

    Args:
        weights: tensors in the file of weights.

    Raises:
        UserError: a number beyond `MOST_SIZE`, or more layers than weights; names it.
    """
    for name, value in arguments.items():
        most = weights if name in LAYERS else MOST_SIZE
        if isinstance(value, int | float) and not abs(value) <= most:
            raise UserError(f"{where}: {name} of {str(value)[:20]}; expected at most {most:,}")


def made_to_fit(make: Callable[[], Network], load: Callable[[Network], None]) -> Network:
    """`make()` with the weights that `load` puts into it, tried by `check_fit` first.

    Raises:
        UserError: as `check_fit`.
    """
    check_fit(make, load)
    network = make()
    load(network)
    return network


def check_fit(make: Callable[[], Network], load: Callable[[Network], None]) -> None:
    """Try what `made_to_fit` does without memory.

    Sizes from a file may be those of a network that no machine holds.

    Raises:
        UserError: the weights don't fit, or there is no network of such sizes.
    """
    try:
        with torch.device("meta"), warnings.catch_warnings(action="ignore"):
            load(make())  # nothing is copied
    except (RuntimeError, ArithmeticError, AssertionError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"no network has these sizes: {reason}") from error


def load_checked(network: nn.Module, state: Mapping[str, Tensor], prefix: str) -> None:
    """Load `state` into `network`, every tensor of it.

    Args:
        prefix: see `check_weights`.

    Raises:
        UserError: as `check_weights`.
    """
    check_weights(network.state_dict(), state, prefix)
    network.load_state_dict(dict(state))


def read_weights(path: Path, missing: str) -> dict[str, Tensor]:
    """The tensors of a safetensors file.

    Args:
        missing: what to say, after the path, of a file that is not there.

    Raises:
        UserError: no such file, or a damaged one.
    """
    try:
        file_size(path)
        return load_file(path)
    except FileNotFoundError:
        raise UserError(f"{path}: {missing}") from None
    except (SafetensorError, OSError) as error:
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
