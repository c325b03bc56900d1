"""Fine-tuning: a stage's network begins with the weights that the same stage of another run left.

One way for every stage that trains: it makes its network as ever, then `Start.load` fills it. What
gives the weights their meaning comes along: the statistics that motion is normalised with, and
vocabularies, which the stages take from the same folder.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motiongpt.errors import UserError
from motiongpt.reading import read_json_object

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

OPTION = "init_from"
STATISTICS = ("mean", "std")
"""Names of the mean and the deviation of features, as tensors of a codec or as arrays beside."""


class Start:
    """Where a stage starts from.

    Args:
        folder: that another run's stage left its weights in; None for random ones.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._used = False

    def take(self) -> Path | None:
        """The folder, for a stage that opens it by itself."""
        self._used = True
        return self.folder

    def load(self, network: "nn.Module", prefix: str = "") -> None:
        """Copy the weights into `network`; nothing where there is no folder.

        Args:
            prefix: of the names of the network's tensors in the file.

        Raises:
            UserError: no weights there, or others than the network's: names the first tensor that
                differs, what was expected and what was found, and the arguments that differ.
        """
        folder = self.take()
        if folder is None:
            return
        from motiongpt.weights import check_weights  # loads torch, which a plan needn't wait for

        state = {
            name.removeprefix(prefix): tensor
            for name, tensor in _weights(folder).items()
            if not (prefix and name in STATISTICS)
        }
        expected = network.state_dict()
        for name in _left_out(expected, state):
            del expected[name]
        try:
            check_weights(expected, state, f"{OPTION}: {folder}: ")
        except UserError as error:
            raise UserError(f"{error}{_told(network, folder)}") from error
        network.load_state_dict(state, strict=False)

    def statistics(self) -> "tuple[np.ndarray, np.ndarray] | None":
        """Mean and std (F,) that the weights know; None where they know none."""
        if self.folder is None:
            return None
        if all((self.folder / f"{name}.npy").is_file() for name in STATISTICS):
            from motiongpt.arrays import read_array

            mean, std = (read_array(self.folder / f"{name}.npy") for name in STATISTICS)
            return mean, std
        files = list(self.folder.glob("*.safetensors"))
        state = _weights(self.folder) if len(files) == 1 else {}
        if not state.keys() >= set(STATISTICS):
            return None
        mean, std = (state[name].float().numpy() for name in STATISTICS)
        return mean, std

    def check_used(self, stage: str) -> None:
        """Refuse to train what did not start where it was told to.

        Raises:
            UserError: nobody asked for the folder.
        """
        if self.folder is not None and not self._used:
            raise UserError(f"stage {stage}: it can't start from other weights; leave {OPTION} out")


def arguments_in(folder: Path) -> Mapping[str, Any]:
    """Arguments of the network in a folder, as its description says; none without one.

    Raises:
        UserError: a damaged description.
    """
    for path in sorted(folder.glob("*.json")):
        try:
            found = read_json_object(path).get("arguments")
        except (OSError, ValueError) as error:
            raise UserError(f"{OPTION}: {path}: damaged: {error}") from error
        if isinstance(found, Mapping):
            return found
    return {}


def _weights(folder: Path) -> "dict[str, Tensor]":
    from motiongpt.weights import read_weights

    files = sorted(folder.glob("*.safetensors"))
    if len(files) != 1:
        what = "no weights" if not files else f"{len(files)} files of weights"
        raise UserError(f"{OPTION}: {folder}: {what}; expected the folder of one trained network")
    return read_weights(files[0], "no such file")


def _left_out(own: "Mapping[str, Tensor]", found: "Mapping[str, Tensor]") -> set[str]:
    """Names that a file leaves out because it has the same numbers under another one."""
    owners: dict[int, set[str]] = {}
    for name, tensor in own.items():
        if tensor.numel():
            owners.setdefault(tensor.data_ptr(), set()).add(name)
    return {
        name for names in owners.values() if names & found.keys() for name in names - found.keys()
    }


def _told(network: "nn.Module", folder: Path) -> str:
    """Which arguments the network in the folder was made with that this one was not."""
    own: Mapping[str, Any] = getattr(network, "arguments", dict)()
    found = arguments_in(folder)
    differing = [
        f"{name}={value}"
        for name, value in found.items()
        if name in own and own[name] != value and not isinstance(value, Mapping)
    ]
    return f"; it was made with {' '.join(differing)}" if differing else ""
