"""A trained MotionGPT3 in a folder: its description, weights, text tokenizer and lengths."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import torch

from motiongpt.errors import UserError
from motiongpt.methods.motiongpt3.network import MotionLanguageModel
from motiongpt.methods.network_folder import NetworkFolder
from motiongpt.pretrained_tokenizer import load_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TOKENIZER = "text_tokenizer"
FOLDER = NetworkFolder(
    "motiongpt3", "motiongpt3", "model", "no such file; run the stage of method motiongpt3 first"
)


@dataclass(frozen=True)
class TrainedMotionLanguageModel:
    """What the stage leaves and the method opens.

    Attributes:
        network: language model and head.
        text_tokenizer: of the captions.
        lengths: (C,) int64 frames of the training clips, to draw one where none is asked for.
    """

    network: MotionLanguageModel
    text_tokenizer: PreTrainedTokenizerBase
    lengths: np.ndarray

    def save(self, folder: Path) -> None:
        """Write everything; `load` opens it."""
        FOLDER.save(self.network, self.network.arguments(), folder)
        FOLDER.save_lengths(self.lengths, folder)
        self.text_tokenizer.save_pretrained(str(Path(folder) / TOKENIZER))

    @classmethod
    def load(cls, folder: Path, device: str | torch.device = "cpu") -> Self:
        """What `save` wrote, in evaluation mode.

        Raises:
            UserError: files missing or damaged, or of another method or format.
        """
        arguments = FOLDER.described(folder)["arguments"]
        network = FOLDER.load(folder, MotionLanguageModel, arguments, device)
        lengths, words = FOLDER.lengths(folder), Path(folder) / TOKENIZER
        try:
            tokenizer = load_tokenizer(words)
        except (OSError, ValueError) as error:
            raise UserError(f"{words}: no text tokenizer: {error}") from error
        return cls(network, tokenizer, lengths)
