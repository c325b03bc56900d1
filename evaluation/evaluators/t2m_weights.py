"""Reading T2M evaluator weights from a local folder; no code in the files is ever run."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from evaluation.evaluators.t2m_networks import T2MNetworks, T2MSizes
from motiongpt.arrays import read_array
from motiongpt.errors import UserError
from motiongpt.weights import load_checked, tensors_under

NETWORKS = ("movement_encoder", "motion_encoder", "text_encoder")
CHECKPOINTS = (
    "finest.safetensors",
    "finest.tar",
    "text_mot_match/model/finest.safetensors",
    "text_mot_match/model/finest.tar",
)
"""Where weights may lie in a folder, in the order in which they are looked for."""
STATISTICS = (
    ".",
    "meta",
    "Comp_v6_KLD01/meta",
    "Comp_v6_KLD005/meta",
    "VQVAEV3_CB1024_CMT_H1024_NRES3/meta",
)
"""Where mean.npy and std.npy may lie, in the order in which they are looked for: put there by
hand, or where T2M publishes them for HumanML3D and KIT, or where T2M-GPT does."""
HELP = (
    "unpack t2m.zip (HumanML3D) or kit.zip there, which the README of EricGuo5513/text-to-motion "
    "links under Pre-trained Models"
)


def find_weights(folder: Path | str) -> Path:
    """The file of the networks' weights.

    Raises:
        UserError: nothing there; says how to get it.
    """
    check_folder("evaluator.weights", folder)
    path = _first(Path(folder), CHECKPOINTS)
    if path is None:
        raise UserError(
            f"evaluator.weights={folder}: no T2M evaluator here (no {' or '.join(CHECKPOINTS)}); "
            f"{HELP}"
        )
    return path


def check_folder(option: str, folder: Path | str) -> None:
    """Refuse a file where the folder is to be named that it lies in.

    Raises:
        UserError: it is a file.
    """
    if Path(folder).is_file():
        raise UserError(f"{option}={folder}: a file; name the folder that it was unpacked into")


def find_statistics(folder: Path | str) -> Path:
    """The mean's file, which the standard deviation's lies beside.

    Raises:
        UserError: nothing there; says how to get it.
    """
    check_folder("evaluator.weights", folder)
    path = _first(Path(folder), tuple(f"{subfolder}/mean.npy" for subfolder in STATISTICS))
    if path is None:
        raise UserError(
            f"evaluator.weights={folder}: no statistics here (no mean.npy in "
            f"{', '.join(STATISTICS)}); {HELP}"
        )
    return path


def load_networks(folder: Path | str, sizes: T2MSizes) -> T2MNetworks:
    """The networks with the weights that `folder` holds, in evaluation mode.

    Args:
        folder: with one of `CHECKPOINTS`. A `.tar` is what torch.save makes of a dictionary that
            holds the state of each of `NETWORKS`, further keys are passed over; `.safetensors`
            has names like `movement_encoder.main.0.weight`.
        sizes: what is expected.

    Raises:
        UserError: nothing there, damaged, not plain tensors, or other names or shapes than
            expected (says expected and found).
    """
    path = find_weights(folder)
    state = _safetensors(path) if path.suffix == ".safetensors" else _torch_file(path)
    networks = T2MNetworks(sizes)
    check_state(str(path), networks.state_dict(), state)
    load_checked(networks, state, f"{path}: ")
    return networks.eval()


def load_statistics(folder: Path | str, n_features: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation, (F,) float32 each, that the evaluator normalises with.

    Raises:
        UserError: none there, damaged, of another width, or a deviation that is not positive.
    """
    mean_path = find_statistics(folder)
    mean, std = (
        read_vector(mean_path.with_name(name), n_features) for name in ("mean.npy", "std.npy")
    )
    if not (std > 0).all():
        raise UserError(f"{mean_path.with_name('std.npy')}: feature {int(std.argmin())} is not > 0")
    return mean, std


def read_vector(path: Path, n_features: int) -> np.ndarray:
    """A mean or a standard deviation, (F,) float32.

    Raises:
        UserError: none there, damaged, of another width, or not finite.
    """
    try:
        vector = read_array(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; it belongs beside the other statistics") from None
    except (ValueError, OSError) as error:
        raise UserError(f"{path}: not an array of numbers; get it again") from error
    if vector.shape != (n_features,) or not np.issubdtype(vector.dtype, np.floating):
        raise UserError(
            f"{path}: expected {n_features} real numbers, found {vector.dtype} of shape "
            f"{vector.shape}"
        )
    if not np.isfinite(vector).all():
        raise UserError(f"{path}: feature {int((~np.isfinite(vector)).argmax())} is not finite")
    return vector.astype(np.float32)


def check_state(where: str, expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    """Refuse weights with a name missing or left over, or of another shape.

    Raises:
        UserError: names the first such weight, what was expected and what was found.
    """
    for name in sorted(expected.keys() | found.keys()):
        wanted, there = (
            f"shape {tuple(state[name].shape)}" if name in state else "none"
            for state in (expected, found)
        )
        if wanted != there:
            raise UserError(f"{where}: {name}: expected {wanted}, found {there}")


def _first(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _torch_file(path: Path) -> dict[str, Tensor]:
    """Tensors of a file of torch.save, by network and name."""
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{path}: holds more than tensors, or is damaged; it was not loaded: get the file "
            "from its authors again"
        ) from error
    except Exception as error:  # a damaged stream may make the unpickler raise anything
        raise UserError(f"{path}: not a file of torch.save, or damaged; get it again") from error
    if not isinstance(content, Mapping):
        raise UserError(f"{path}: expected {', '.join(NETWORKS)}, found {type(content).__name__}")
    for network in NETWORKS:
        if not isinstance(content.get(network), Mapping):
            found = ", ".join(sorted(map(str, content))) or "nothing"
            raise UserError(f"{path}: expected {', '.join(NETWORKS)}, found {found}")
    state = {f"{part}.{name}": value for part in NETWORKS for name, value in content[part].items()}
    for name, value in state.items():
        if not isinstance(value, Tensor):
            raise UserError(f"{path}: {name}: expected a tensor, found {type(value).__name__}")
    try:
        return tensors_under(state, "")
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise UserError(f"{path}: damaged weights; get the file again") from error
