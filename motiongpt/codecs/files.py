"""Files of a trained codec: a description that names its class, and its weights with mean and std.

Nothing is imported by path and nothing unpickled: the class is looked up among the codecs here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

import motiongpt.codecs as codecs
from motiongpt.codecs.base import Codec
from motiongpt.errors import UserError
from motiongpt.files import save_with, write_json
from motiongpt.reading import read_json_object
from motiongpt.registry import class_by_name
from motiongpt.weights import (
    check_sizes,
    check_weights,
    load_checked,
    made_to_fit,
    read_weights,
)

FORMAT = 1


@dataclass(frozen=True)
class CodecFiles:
    """How one kind of codec lies in a folder.

    Attributes:
        kind: what messages call it.
        description: file with the class and its arguments.
        weights: file with the tensors, and mean and std.
        prefix: before the names of the network's tensors.
        base: what the described class must be.
    """

    kind: str
    description: str
    weights: str
    prefix: str
    base: type[Any]

    def write(self, folder: Path, network: Codec, mean: np.ndarray, std: np.ndarray) -> None:
        """Write both files into `folder`."""
        state = {self.prefix + name: t.contiguous() for name, t in network.state_dict().items()}
        state |= {"mean": torch.from_numpy(mean), "std": torch.from_numpy(std)}
        state = {name: tensor.detach().cpu() for name, tensor in state.items()}
        save_with(Path(folder) / self.weights, lambda path: save_file(state, path))
        described = {
            "format": FORMAT,
            "class": type(network).__name__,
            "arguments": network.arguments(),
        }
        write_json(Path(folder) / self.description, described)

    def read(
        self, folder: Path, wanted: Mapping[str, int | None]
    ) -> tuple[Any, np.ndarray, np.ndarray]:
        """The network, its mean and its std.

        Args:
            wanted: attribute of the network -> what the caller needs; None takes what is there.

        Raises:
            UserError: files missing or damaged, a class that is no codec of this kind, another
                value than wanted, or weights that don't fit the description.
        """
        folder = Path(folder)
        path = folder / self.weights
        kind, arguments = self._described(folder / self.description)
        state = read_weights(path, self._missing(path))
        check_sizes(arguments, len(state), str(folder / self.description))
        statistics = {name: state.pop(name, torch.empty(0)) for name in ("mean", "std")}
        state = {name.removeprefix(self.prefix): tensor for name, tensor in state.items()}

        def load(network: Codec) -> None:
            for name, value in wanted.items():
                found = getattr(network, name)
                if value is not None and value != found:
                    raise UserError(f"{self.kind} {folder}: {name} expected {value}, found {found}")
            like = torch.empty(network.n_features, device="meta")
            check_weights(dict.fromkeys(statistics, like), statistics, f"{path}: ")
            load_checked(network, state, f"{path}: ")

        try:
            network = made_to_fit(lambda: kind.from_arguments(arguments), load)
        except (ValueError, KeyError, TypeError) as error:
            raise self._no_description(folder / self.description, error) from error
        except UserError as error:
            if str(folder) in str(error):
                raise
            raise UserError(f"{folder / self.description}: {error}") from error
        return network, statistics["mean"].numpy(), statistics["std"].numpy()

    def _described(self, path: Path) -> tuple[type[Codec], Mapping[str, Any]]:
        """Class and arguments of the codec that a description names."""
        try:
            described = read_json_object(path)
            if described["format"] != FORMAT:
                raise UserError(f"{path}: format {described['format']}; expected {FORMAT}")
            kind: Any = class_by_name(codecs, self.base, described["class"])
            return kind, dict(described["arguments"])
        except FileNotFoundError:
            raise UserError(f"{path}: {self._missing(path)}") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._no_description(path, error) from error

    def _no_description(self, path: Path, error: Exception) -> UserError:
        return UserError(f"{path}: not a {self.kind}'s description: {error!r}")

    def _missing(self, path: Path) -> str:
        """What to say of a file that is not there: another kind of codec may be."""
        others = sorted(
            other.name for other in path.parent.glob("*.json") if other.name != self.description
        )
        there = f", but {', '.join(others)}: it is of another kind" if others else ""
        return f"no such file{there}; run the {self.kind} stage first or give its folder"
