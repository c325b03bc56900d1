"""What the golden vectors of the continuous codecs share: weights, gradients, facts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from omegaconf import OmegaConf
from torch import Tensor, nn

from launch.composition.overrides import CONF

Arrays = Mapping[str, np.ndarray]
Rename = Callable[[str], str]

OUTPUT, POSITION, RELATIVE = 1e-5, 2e-5, 1e-4
NOTHING = 1e-6  # what is zero but for rounding
GRADIENTS = ("grad/", "gradnorm/", "gradrow0/")
PUBLISHED_KEYS = {
    "MPJPE": "mpjpe",
    "PAMPJPE": "pampjpe",
    "ACCL": "accel",
    "FID": "fid",
    "DIV": "diversity",
}


def tensors(arrays: Arrays, prefix: str) -> dict[str, Tensor]:
    """The arrays whose names begin with `prefix`, by the rest of their names."""
    return {
        name.removeprefix(prefix): torch.from_numpy(np.array(arrays[name]))
        for name in arrays
        if name.startswith(prefix)
    }


def outputs(report: Any, case: str, found: Mapping[str, Any], arrays: Arrays, at: str = "") -> None:
    """Activations, by the names they have in the file after `at`."""
    for name, value in found.items():
        report.compare(case, at + name, value, arrays[at + name], atol=OUTPUT, rtol=RELATIVE)


def positions(report: Any, case: str, found: Mapping[str, Any], arrays: Arrays) -> None:
    """Joints and body points."""
    for name, value in found.items():
        report.compare(case, name, value, arrays[name], atol=POSITION, rtol=RELATIVE)


def scalars(report: Any, case: str, found: Mapping[str, Any], arrays: Arrays) -> None:
    """Losses and sums."""
    for name, value in found.items():
        value = value.detach().numpy() if isinstance(value, Tensor) else value
        report.compare(case, name, value, arrays[name], atol=1e-7, rtol=RELATIVE)


def gradients(
    report: Any, case: str, at: str, network: nn.Module, rename: Rename, arrays: Arrays
) -> None:
    """Every gradient of the file below `at`: whole, or its norm and its first row."""
    ours = dict(network.named_parameters())
    named = [n for n in arrays if n.startswith(tuple(at + kind for kind in GRADIENTS))]
    checked = set()
    for name in named:
        kind, _, original = name.removeprefix(at).partition("/")
        renamed = rename(original)
        gradient = ours[renamed].grad
        assert gradient is not None, renamed
        checked.add(renamed)
        if kind == "grad":
            found = gradient.reshape(arrays[name].shape)
            _whole_gradient(report, case, name, original, found, arrays[name])
        elif kind == "gradnorm":
            norm = gradient.double().norm().item()
            report.compare(case, name, norm, arrays[name], atol=1e-7, rtol=RELATIVE)
        else:
            report.compare(case, name, gradient[0], arrays[name], atol=OUTPUT, rtol=RELATIVE)
    trained = sorted(name for name, p in ours.items() if p.grad is not None)
    report.exact(case, f"{at}parameters with a gradient", sorted(checked), trained)


def _whole_gradient(
    report: Any, case: str, name: str, original: str, found: Tensor, expected: np.ndarray
) -> None:
    """Of a bias of the attention's keys nothing is left but rounding: the softmax does not see it."""
    if not original.endswith("in_proj_bias"):
        report.compare(case, name, found, expected, atol=OUTPUT, rtol=RELATIVE)
        return
    third = len(expected) // 3
    kept = np.r_[0:third, 2 * third : 3 * third]
    report.compare(case, name, found[kept], expected[kept], atol=OUTPUT, rtol=RELATIVE)
    keys = slice(third, 2 * third)
    scale = max(1.0, float(np.abs(expected).max()))
    report.compare(case, f"{name} of keys", found[keys], expected[keys], atol=NOTHING * scale)


def shapes(
    report: Any, case: str, key: str, network: nn.Module, found: Mapping[str, Sequence[int]],
    rename: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]],
) -> None:  # fmt: skip
    """Names and shapes of a released checkpoint against those of our full-size network."""
    original = {name: torch.empty(tuple(shape), device="meta") for name, shape in found.items()}
    theirs = {name: list(t.shape) for name, t in rename(original).items()}
    ours = {name: list(t.shape) for name, t in network.state_dict().items()}
    report.exact(case, f"{key}: names", sorted(ours), sorted(theirs))
    for name in sorted(ours.keys() & theirs.keys()):
        report.exact(case, f"{key}: {name}", ours[name], theirs[name])


def parameters(network: nn.Module) -> int:
    """How many numbers are trained."""
    return sum(parameter.numel() for parameter in network.parameters())


def yaml(name: str) -> Any:
    """A file of conf/ as plain containers, references as they are written."""
    return OmegaConf.to_container(OmegaConf.load(CONF / name))


def published_row(report: Any, case: str, key: str, method: str, row: Mapping[str, Any]) -> None:
    """A row of MotionGPT's table against experiments/reconstruction/published.yaml."""
    table: Any = OmegaConf.load(CONF.parent / "experiments/reconstruction/published.yaml")
    (ours,) = (one.numbers for one in table.rows if one.method == method)
    for name, column in PUBLISHED_KEYS.items():
        report.exact(case, f"{key}: {name}", ours[column], row[name])
