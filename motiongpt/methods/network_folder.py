"""A method's trained network in a folder: what it is, in JSON, and its weights.

Shape letter: C clips.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from motiongpt.arrays import read_array
from motiongpt.errors import UserError
from motiongpt.files import save_array, save_with, write_json
from motiongpt.reading import read_json_object
from motiongpt.weights import check_sizes, load_checked, made_to_fit, read_weights

FORMAT = 1
LENGTHS = "lengths.npy"

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class NetworkFolder:
    """How one method keeps its networks.

    Attributes:
        method: its name; another one's folder is refused.
        files: name of both files, before .json and .safetensors.
        what: kind of thing that the description is of, for messages: "denoiser".
        missing: what to do where a file is absent, after its path: "no such file; …".
    """

    method: str
    files: str
    what: str
    missing: str

    def description(self, folder: Path) -> Path:
        """The JSON file."""
        return Path(folder) / f"{self.files}.json"

    def weights(self, folder: Path) -> Path:
        """The file of weights."""
        return Path(folder) / f"{self.files}.safetensors"

    def save(
        self,
        network: nn.Module,
        arguments: Mapping[str, Any],
        folder: Path,
        left_out: Iterable[str] = (),
        **more: Any,
    ) -> None:
        """Write both files.

        Args:
            arguments: of the network, fit for JSON.
            left_out: names of weights that `load` can fill in.
            more: for the description; `part`, where a method has several networks.
        """
        weights = network.state_dict().items()
        state = {
            name: tensor.detach().cpu().contiguous()
            for name, tensor in weights
            if name not in set(left_out)
        }
        save_with(self.weights(folder), lambda path: save_file(state, path))
        described = {"format": FORMAT, "method": self.method, "arguments": arguments, **more}
        write_json(self.description(folder), described)

    def described(self, folder: Path, part: str = "") -> dict[str, Any]:
        """The description; `arguments` is in it.

        Args:
            part: which of the method's networks; empty where it has one.

        Raises:
            UserError: absent, damaged, or of another method, part or format.
        """
        path = self.description(folder)
        try:
            found = dict(read_json_object(path))
            there = _kind(found["method"], found["part"] if part else "", found["format"])
            if there != _kind(self.method, part, FORMAT):
                expected = f"a {part} of {self.method}" if part else self.method
                raise UserError(f"{path}: {there}; expected {expected}, {FORMAT}")
            found["arguments"] = dict(found["arguments"])
            return found
        except FileNotFoundError:
            raise UserError(f"{path}: {self.missing}") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._not_one(folder, error) from error

    def load(
        self,
        folder: Path,
        make: Callable[..., Network],
        arguments: Mapping[str, Any],
        device: str | torch.device = "cpu",
        fill_in: Callable[[dict[str, Tensor]], None] | None = None,
    ) -> Network:
        """The network in evaluation mode.

        Args:
            make: the network of its `arguments`.
            fill_in: puts in the weights that `save` left out.

        Raises:
            UserError: weights absent or damaged, or arguments that are none of the network's.
        """
        path = self.weights(folder)
        state = read_weights(path, self.missing)
        for some in (arguments, *(one for one in arguments.values() if isinstance(one, Mapping))):
            check_sizes(some, len(state), str(self.description(folder)))
        if fill_in is not None:
            fill_in(state)
        try:
            network = made_to_fit(
                lambda: make(**arguments), lambda made: load_checked(made, state, f"{path}: ")
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise self._not_one(folder, error) from error
        return network.to(device).eval()

    def made(
        self, folder: Path, described: Mapping[str, Any], key: str, make: Callable[[Any], Any]
    ) -> Any:
        """What `make` makes of something else in the description.

        Raises:
            UserError: it is absent, or nothing can be made of it.
        """
        try:
            found = described[key]
            if isinstance(found, Mapping):
                check_sizes(found, 0, str(self.description(folder)))
            return make(found)
        except (ValueError, TypeError, KeyError) as error:
            raise self._not_one(folder, error) from error

    def array(self, folder: Path, name: str) -> np.ndarray:
        """An array beside the network.

        Raises:
            UserError: absent or damaged.
        """
        path = Path(folder) / name
        try:
            return read_array(path)
        except FileNotFoundError:
            raise UserError(f"{path}: {self.missing}") from None
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: damaged: {error}") from error

    def save_lengths(self, lengths: np.ndarray, folder: Path) -> None:
        """Write (C,) frames of the training clips."""
        save_array(Path(folder) / LENGTHS, np.asarray(lengths, np.int64))

    def lengths(self, folder: Path) -> np.ndarray:
        """(C,) int64 frames of the training clips.

        Raises:
            UserError: absent or damaged.
        """
        found = self.array(folder, LENGTHS)
        if found.ndim != 1 or not len(found) or found.dtype != np.int64 or found.min() < 1:
            raise UserError(
                f"{Path(folder) / LENGTHS}: expected frames of one training clip or more, above 0, "
                "as int64"
            )
        return found

    def _not_one(self, folder: Path, error: Exception) -> UserError:
        return UserError(f"{self.description(folder)}: not a {self.what}'s description: {error!r}")


def _kind(method: object, part: object, format: object) -> str:
    return f"{f'a {part} ' if part else ''}of method {method}, format {format}"
