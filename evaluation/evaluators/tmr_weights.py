"""Published TMR weights: their names, their files, and how they become ours; no code in them runs.

TMR's checkpoint holds `motion_encoder.…`, `text_encoder.…` and `motion_decoder.…`; the encoders are
called so here too, of the decoder's parts two are called otherwise:

    motion_decoder.seqTransDecoder    motion_decoder.transformer
    motion_decoder.final_layer        motion_decoder.output
"""

import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from evaluation.evaluators.t2m_weights import check_folder
from evaluation.evaluators.tmr_networks import TMRNetworks, sizes_of_state
from motiongpt.arrays import read_array
from motiongpt.errors import UserError
from motiongpt.published.checkpoint import read_checkpoint
from motiongpt.weights import load_checked, made_to_fit, tensors_under

ENCODERS, DECODER = ("motion_encoder", "text_encoder"), "motion_decoder"
DECODER_NAMES = {"seqTransDecoder": "transformer", "final_layer": "output"}
WEIGHT_FOLDERS = (".", "last_weights")
"""Where the three files may lie in the folder that is named, in the order they are looked for."""
CHECKPOINTS = ("last.ckpt", "logs/checkpoints/last.ckpt")
"""Where a whole checkpoint may lie, where the three files are not."""
STATISTICS_FOLDERS = (".", "stats", "guoh3dfeats", "humanml3d/guoh3dfeats")
HELP = (
    "unpack tmr_models.tgz, which prepare/download_pretrain_models.sh of Mathux/TMR fetches, and "
    "name models/tmr_humanml3d_guoh3dfeats"
)
HELP_STATISTICS = "stats/humanml3d/guoh3dfeats of Mathux/TMR, with mean.pt and std.pt"


def our_name(name: str) -> str:
    """Our name of a released weight."""
    part, _, rest = name.partition(".")
    first, dot, further = rest.partition(".")
    if part == DECODER:
        first = DECODER_NAMES.get(first, first)
    return f"{part}.{first}{dot}{further}"


def from_original_state_dict(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A `TMRNetworks.state_dict()` from the released one; names of other parts are passed over."""
    parts = (*ENCODERS, DECODER)
    return {our_name(name): tensor for name, tensor in state.items() if name.split(".")[0] in parts}


def find_weights(folder: Path | str) -> tuple[Path, ...]:
    """The files of the networks' weights: one for each, or one checkpoint of all.

    Raises:
        UserError: nothing there; says how to get it.
    """
    check_folder("evaluator.weights", folder)
    root = Path(folder)
    for below in WEIGHT_FOLDERS:
        files = tuple(root / below / f"{part}.pt" for part in (*ENCODERS, DECODER))
        if all(file.is_file() for file in files[:2]):
            return tuple(file for file in files if file.is_file())
    for name in CHECKPOINTS:
        if (root / name).is_file():
            return (root / name,)
    raise UserError(
        f"evaluator.weights={folder}: no TMR here (no {ENCODERS[0]}.pt and {ENCODERS[1]}.pt, "
        f"there or in last_weights, and no {CHECKPOINTS[0]}); {HELP}"
    )


def load_networks(
    folder: Path | str, heads: int, max_frames: int, n_features: int, text_width: int
) -> TMRNetworks:
    """The networks with the weights that `folder` holds, in evaluation mode.

    Args:
        heads, max_frames: leave no trace in the weights.
        n_features, text_width: what motions and the text encoder have.

    Raises:
        UserError: nothing there, damaged, not plain tensors, or other names, shapes or widths than
            expected (says expected and found).
    """
    files = find_weights(folder)
    state = from_original_state_dict(_released_state(files))
    sizes = sizes_of_state(state, heads, max_frames)
    for what, found, expected in (
        ("features of a frame", sizes.n_features, n_features),
        ("numbers of a token, by its text encoder", sizes.text_width, text_width),
    ):
        if found != expected:
            raise UserError(f"{files[0]}: reads {found} {what}; here are {expected}")
    prefix = f"{folder}: "
    networks = made_to_fit(
        lambda: TMRNetworks(sizes), lambda network: load_checked(network, state, prefix)
    )
    return networks.eval()


def load_statistics(folder: Path | str, n_features: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation, (F,) float32 each, of `mean.pt` and `std.pt` or `.npy`.

    Raises:
        UserError: none there, damaged, of another width, or a deviation that is not positive.
    """
    found = [_vector(path, n_features) for path in find_statistics(folder)]
    if not (found[1] > 0).all():
        raise UserError(f"{folder}: std: feature {int(found[1].argmin())} is not > 0")
    return found[0], found[1]


def find_statistics(folder: Path | str) -> tuple[Path, Path]:
    """The files of mean and standard deviation.

    Raises:
        UserError: nothing there; says how to get it.
    """
    check_folder("evaluator.statistics", folder)
    for below in STATISTICS_FOLDERS:
        for suffix in (".pt", ".npy"):
            mean, std = (Path(folder) / below / f"{name}{suffix}" for name in ("mean", "std"))
            if mean.is_file() and std.is_file():
                return mean, std
    raise UserError(
        f"evaluator.statistics={folder}: no mean.pt and std.pt here; they are {HELP_STATISTICS}"
    )


def _released_state(files: Iterable[Path]) -> dict[str, Tensor]:
    """Released names to tensors, of one file a network or of a whole checkpoint."""
    state: dict[str, Tensor] = {}
    for file in files:
        content = read_checkpoint(file)
        if file.suffix == ".ckpt":
            found = content.get("state_dict")
            if not isinstance(found, Mapping):
                raise UserError(f"{file}: expected a state_dict, found {type(found).__name__}")
            state |= _plain(found, file)
        else:
            state |= {f"{file.stem}.{name}": one for name, one in _plain(content, file).items()}
    return state


def _plain(content: Mapping[str, object], file: Path) -> dict[str, Tensor]:
    """Tensors by name.

    Raises:
        UserError: something else among them; names the file.
    """
    try:
        return tensors_under(content, "")
    except UserError as error:
        raise UserError(f"{file}: {error}") from error


def _tensor(path: Path) -> Tensor:
    """The one tensor of a file of torch.save."""
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{path}: holds more than tensors, or is damaged; it was not loaded: get the file "
            "from its authors again"
        ) from error
    except Exception as error:  # a damaged stream may make the unpickler raise anything
        raise UserError(f"{path}: not a file of torch.save, or damaged; get it again") from error
    return _plain({path.stem: found}, path)[path.stem]


def _vector(path: Path, n_features: int) -> np.ndarray:
    if path.suffix == ".pt":
        vector = _tensor(path).float().numpy()
    else:
        try:
            vector = read_array(path)
        except (ValueError, OSError) as error:
            raise UserError(f"{path}: not an array of numbers; get it again") from error
    plain = vector.shape == (n_features,) and vector.dtype.kind in "fiu"
    if not plain or not np.isfinite(vector).all():
        raise UserError(
            f"{path}: expected {n_features} finite numbers, found {vector.dtype} of shape "
            f"{vector.shape}"
        )
    return vector.astype(np.float32)
