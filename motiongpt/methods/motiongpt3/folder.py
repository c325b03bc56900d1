"""A trained MotionGPT3 in a folder: its description, weights, text tokenizer and lengths."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import PreTrainedTokenizerBase

from motiongpt.arrays import read_array
from motiongpt.errors import UserError
from motiongpt.files import save_array, save_with, write_json
from motiongpt.methods.motiongpt3.network import MotionLanguageModel
from motiongpt.pretrained_tokenizer import load_tokenizer
from motiongpt.reading import read_json_object
from motiongpt.weights import check_sizes, load_checked, made_to_fit, read_weights

DESCRIPTION, WEIGHTS, LENGTHS = "motiongpt3.json", "motiongpt3.safetensors", "lengths.npy"
TOKENIZER = "text_tokenizer"
METHOD, FORMAT = "motiongpt3", 1
MISSING = "no such file; run the stage of method motiongpt3 first"


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
        folder = Path(folder)
        weights = self.network.state_dict().items()
        state = {name: tensor.detach().cpu().contiguous() for name, tensor in weights}
        save_with(folder / WEIGHTS, lambda path: save_file(state, path))
        save_array(folder / LENGTHS, np.asarray(self.lengths, np.int64))
        self.text_tokenizer.save_pretrained(str(folder / TOKENIZER))
        described = {"format": FORMAT, "method": METHOD, "arguments": self.network.arguments()}
        write_json(folder / DESCRIPTION, described)

    @classmethod
    def load(cls, folder: Path, device: str | torch.device = "cpu") -> Self:
        """What `save` wrote, in evaluation mode.

        Raises:
            UserError: files missing or damaged, or of another method or format.
        """
        folder = Path(folder)
        path = folder / WEIGHTS
        arguments = _arguments(folder / DESCRIPTION)
        state = read_weights(path, MISSING)
        try:
            for part in ("language", "head"):
                check_sizes(arguments[part], len(state), str(folder / DESCRIPTION))
            network = made_to_fit(
                lambda: MotionLanguageModel(**arguments),
                lambda made: load_checked(made, state, f"{path}: "),
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise UserError(
                f"{folder / DESCRIPTION}: not a model's description: {error!r}"
            ) from error
        lengths = _lengths(folder / LENGTHS)
        try:
            tokenizer = load_tokenizer(folder / TOKENIZER)
        except (OSError, ValueError) as error:
            raise UserError(f"{folder / TOKENIZER}: no text tokenizer: {error}") from error
        return cls(network.to(device).eval(), tokenizer, lengths)


def _arguments(path: Path) -> dict[str, Any]:
    try:
        described = read_json_object(path)
        found = described["method"], described["format"]
        if found != (METHOD, FORMAT):
            raise UserError(
                f"{path}: of method {found[0]}, format {found[1]}; expected {METHOD}, {FORMAT}"
            )
        return dict(described["arguments"])
    except FileNotFoundError:
        raise UserError(f"{path}: {MISSING}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a model's description: {error!r}") from error


def _lengths(path: Path) -> np.ndarray:
    try:
        lengths = read_array(path)
    except FileNotFoundError:
        raise UserError(f"{path}: {MISSING}") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: damaged: {error}") from error
    if lengths.ndim != 1 or not len(lengths) or lengths.dtype != np.int64 or lengths.min() < 1:
        raise UserError(f"{path}: expected frames of one training clip or more, above 0, as int64")
    return lengths
