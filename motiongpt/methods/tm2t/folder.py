"""TM2T's trained networks in folders: `network.json` and `network.safetensors` each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import torch
from safetensors.torch import save_file
from torch import nn

from motiongpt.errors import UserError
from motiongpt.files import save_with, write_json
from motiongpt.methods.tm2t.seq2seq import WordsToCodes
from motiongpt.methods.tm2t.translator import Translator
from motiongpt.methods.tm2t.vocabulary import Vocabulary
from motiongpt.reading import read_json_object
from motiongpt.weights import check_sizes, load_checked, made_to_fit, read_weights

DESCRIPTION, WEIGHTS = "network.json", "network.safetensors"
METHOD, FORMAT = "tm2t", 1
MISSING = "no such file; run the stage that trains this part of TM2T first"
TIED = "output.weight"  # where it is the table of target ids

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class TrainedToText:
    """Codes into words: the network, and the words by their ids."""

    network: Translator
    vocabulary: Vocabulary

    @property
    def codebook_size(self) -> int:
        """Of the codes; three marks stand behind them."""
        return self.network.source - 3

    def save(self, folder: Path) -> None:
        """Write both files; `load` opens them."""
        words = {"words": list(self.vocabulary.words)}
        _save(self.network, folder, "to_text", self.network.arguments(), words)

    @classmethod
    def load(cls, folder: Path, device: str | torch.device = "cpu") -> Self:
        """What `save` wrote, in evaluation mode.

        Raises:
            UserError: files missing or damaged, or of another method, part or format.
        """
        network, described = _load(folder, "to_text", Translator, device)
        path = Path(folder) / DESCRIPTION
        try:
            vocabulary = Vocabulary(tuple(map(str, described["words"])))
        except (KeyError, TypeError) as error:
            raise UserError(f"{path}: not a network's description: {error!r}") from error
        if len(vocabulary) != network.target:
            raise UserError(f"{path}: {len(vocabulary)} words and marks, expected {network.target}")
        return cls(network, vocabulary)


def save_to_motion(network: WordsToCodes, folder: Path) -> None:
    """Write both files; `load_to_motion` opens them."""
    _save(network, folder, "to_motion", network.arguments(), {})


def load_to_motion(folder: Path, device: str | torch.device = "cpu") -> WordsToCodes:
    """What `save_to_motion` wrote, in evaluation mode.

    Raises:
        UserError: files missing or damaged, or of another method, part or format.
    """
    return _load(folder, "to_motion", WordsToCodes, device)[0]


def _save(
    network: nn.Module,
    folder: Path,
    part: str,
    arguments: Mapping[str, Any],
    more: Mapping[str, Any],
) -> None:
    state = {name: t.detach().cpu().contiguous() for name, t in network.state_dict().items()}
    if arguments.get("shared_output"):
        del state[TIED]
    save_with(Path(folder) / WEIGHTS, lambda path: save_file(state, path))
    described = {"format": FORMAT, "method": METHOD, "part": part, "arguments": arguments, **more}
    write_json(Path(folder) / DESCRIPTION, described)


def _load(
    folder: Path, part: str, kind: Callable[..., Network], device: str | torch.device
) -> tuple[Network, dict[str, Any]]:
    path = Path(folder) / DESCRIPTION
    described = _described(path, part)
    arguments = described["arguments"]
    state = read_weights(Path(folder) / WEIGHTS, MISSING)
    check_sizes(arguments, len(state), str(path))
    if arguments.get("shared_output") and "target_embedding.weight" in state:
        state[TIED] = state["target_embedding.weight"]
    try:
        network = made_to_fit(
            lambda: kind(**arguments),
            lambda made: load_checked(made, state, f"{Path(folder) / WEIGHTS}: "),
        )
    except (ValueError, TypeError) as error:
        raise UserError(f"{path}: not a network's description: {error!r}") from error
    return network.to(device).eval(), described


def _described(path: Path, part: str) -> dict[str, Any]:
    try:
        described = dict(read_json_object(path))
        found = described["method"], described["part"], described["format"]
        if found != (METHOD, part, FORMAT):
            raise UserError(
                f"{path}: of {found[0]}'s {found[1]}, format {found[2]}; expected {METHOD}'s "
                f"{part}, {FORMAT}"
            )
        described["arguments"] = dict(described["arguments"])
        return described
    except FileNotFoundError:
        raise UserError(f"{path}: {MISSING}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a network's description: {error!r}") from error
