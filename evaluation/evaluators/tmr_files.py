"""Files of a saved TMR evaluator, whether trained here or published.

`evaluator.json` (what it is), `evaluator.safetensors` (weights, mean, std), `text_encoder/` (what
reads the captions).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from evaluation.evaluators.base import DESCRIPTION
from evaluation.evaluators.t2m_files import LETTERS, WEIGHTS
from evaluation.evaluators.tmr_captions import text_encoder_folder
from evaluation.evaluators.tmr_networks import TMRNetworks, TMRSizes
from motiongpt.errors import UserError
from motiongpt.files import save_with, write_json
from motiongpt.reading import read_json_object
from motiongpt.text_encoders.base import TextEncoder
from motiongpt.text_encoders.loading import load_text_encoder
from motiongpt.weights import load_checked

FORMAT = 1


@dataclass(frozen=True)
class TMRParts:
    """All that an embedding depends on: what is saved, and the arguments of `TMREvaluator`.

    Attributes:
        mean, std: (F,) float32.
        about: what else `description` says.
    """

    networks: TMRNetworks
    mean: np.ndarray
    std: np.ndarray
    text_encoder: TextEncoder
    about: Mapping[str, Any]

    @property
    def description(self) -> dict[str, Any]:
        """What the evaluator says of itself."""
        sizes = self.networks.sizes
        return {**self.about, "max_frames": sizes.max_frames, "sizes": asdict(sizes)}

    @property
    def state(self) -> dict[str, Tensor]:
        """Weights and statistics, as they are saved."""
        state = {
            name: tensor.detach().cpu().contiguous()
            for name, tensor in self.networks.state_dict().items()
        }
        return state | {"mean": torch.from_numpy(self.mean), "std": torch.from_numpy(self.std)}


def fingerprint_of(parts: TMRParts) -> str:
    """First letters of the SHA-256 of all that an embedding depends on."""
    found = hashlib.sha256()
    words = {
        f"words.{name}": tensor.cpu() for name, tensor in parts.text_encoder.state_dict().items()
    }
    for name, tensor in sorted((parts.state | words).items()):
        array = np.ascontiguousarray(tensor.numpy())
        found.update(f"{name} {array.dtype} {array.shape}".encode())
        found.update(array.tobytes())
    further = [asdict(parts.networks.sizes), parts.text_encoder.settings()]
    found.update(json.dumps(further, sort_keys=True).encode())
    return found.hexdigest()[:LETTERS]


def write_parts(parts: TMRParts, folder: Path, class_name: str) -> None:
    """Write all files; the description, without which nothing is found, comes last.

    Args:
        class_name: of the evaluator that is to be built of them.
    """
    save_with(folder / WEIGHTS, lambda path: save_file(parts.state, path))
    parts.text_encoder.save(text_encoder_folder(folder))
    description = {
        "class": class_name,
        "format": FORMAT,
        "fingerprint": fingerprint_of(parts),
        "description": parts.description,
    }
    write_json(folder / DESCRIPTION, description)


def read_parts(folder: Path) -> TMRParts:
    """What `write_parts` wrote.

    Raises:
        UserError: a file is missing or damaged.
    """
    try:
        saved = read_json_object(folder / DESCRIPTION)
        if saved["format"] != FORMAT:
            raise ValueError(f"format {saved['format']}, expected {FORMAT}")
        about = dict(saved["description"])
        networks = TMRNetworks(TMRSizes(**about.pop("sizes")))
        del about["max_frames"]
        state = load_file(folder / WEIGHTS)
        mean, std = state.pop("mean").numpy(), state.pop("std").numpy()
        text_encoder = load_text_encoder(text_encoder_folder(folder))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError, UserError) as error:
        said = " ".join(str(error).split())
        raise UserError(
            f"{folder}: a broken evaluator ({type(error).__name__}: {said}); delete the run "
            "folder and run the evaluator stage again"
        ) from error
    load_checked(networks, state, f"{folder / WEIGHTS}: ")
    return TMRParts(networks, mean, std, text_encoder, about)
