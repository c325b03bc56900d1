"""TM2T's trained networks in folders: `network.json` and `network.safetensors` each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from motiongpt.errors import UserError
from motiongpt.methods.network_folder import NetworkFolder
from motiongpt.methods.tm2t.seq2seq import WordsToCodes
from motiongpt.methods.tm2t.translator import Translator
from motiongpt.methods.tm2t.vocabulary import Vocabulary

FOLDER = NetworkFolder(
    "tm2t",
    "network",
    "network",
    "no such file; run the stage that trains this part of TM2T first",
)
TO_TEXT, TO_MOTION = "to_text", "to_motion"
TIED, TABLE = "output.weight", "target_embedding.weight"  # the same, with a shared output


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
        arguments, words = self.network.arguments(), list(self.vocabulary.words)
        left_out = [TIED] if arguments["shared_output"] else []
        FOLDER.save(self.network, arguments, folder, left_out, part=TO_TEXT, words=words)

    @classmethod
    def load(cls, folder: Path, device: str | torch.device = "cpu") -> Self:
        """What `save` wrote, in evaluation mode.

        Raises:
            UserError: files missing or damaged, or of another method, part or format.
        """
        described = FOLDER.described(folder, TO_TEXT)
        arguments = described["arguments"]
        fill_in = _tied if arguments.get("shared_output") else None
        network = FOLDER.load(folder, Translator, arguments, device, fill_in)
        vocabulary = FOLDER.made(
            folder, described, "words", lambda words: Vocabulary(tuple(map(str, words)))
        )
        if len(vocabulary) != network.target:
            path = FOLDER.description(folder)
            raise UserError(f"{path}: {len(vocabulary)} words and marks, expected {network.target}")
        return cls(network, vocabulary)


def save_to_motion(network: WordsToCodes, folder: Path) -> None:
    """Write both files; `load_to_motion` opens them."""
    FOLDER.save(network, network.arguments(), folder, part=TO_MOTION)


def load_to_motion(folder: Path, device: str | torch.device = "cpu") -> WordsToCodes:
    """What `save_to_motion` wrote, in evaluation mode.

    Raises:
        UserError: files missing or damaged, or of another method, part or format.
    """
    arguments = FOLDER.described(folder, TO_MOTION)["arguments"]
    return FOLDER.load(folder, WordsToCodes, arguments, device)


def _tied(state: dict[str, Tensor]) -> None:
    if TABLE in state:
        state[TIED] = state[TABLE]
