"""Files of a saved T2M evaluator, whether trained here or published.

`evaluator.json` (what it is), `evaluator.safetensors` (weights, mean, std), `words.npy` and
`words.json` (a vector for each word).
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

from evaluation.evaluators.base import DESCRIPTION
from evaluation.evaluators.sentence_tags import Tagger, restore_tagger
from evaluation.evaluators.t2m_networks import T2MNetworks, T2MSizes
from evaluation.evaluators.t2m_weights import check_state
from evaluation.evaluators.word_vectors import WordVectors
from motiongpt.errors import UserError
from motiongpt.files import save_with, write_json
from motiongpt.reading import read_json_object

FORMAT = 1
WEIGHTS = "evaluator.safetensors"
LETTERS = 16
COMPUTED = ("max_frames", "batch_size", "sizes")
"""Parts of the description that are kept apart from what the maker says of the evaluator."""


@dataclass(frozen=True)
class T2MParts:
    """All that an embedding depends on: what is saved, and the arguments of `T2MEvaluator`.

    Attributes:
        mean, std: (F,) float32.
        about: what else `description` says.
    """

    networks: T2MNetworks
    mean: np.ndarray
    std: np.ndarray
    words: WordVectors
    max_frames: int
    batch_size: int
    tagger: Tagger
    own_tokens: bool
    about: Mapping[str, Any]

    @property
    def description(self) -> dict[str, Any]:
        """What the evaluator says of itself."""
        return {
            **self.about,
            "max_frames": self.max_frames,
            "batch_size": self.batch_size,
            "sizes": asdict(self.networks.sizes),
        }


def fingerprint_of(parts: T2MParts) -> str:
    """First 16 letters of the SHA-256 of all that an embedding depends on."""
    found = hashlib.sha256()
    state = {name: tensor.cpu().numpy() for name, tensor in parts.networks.state_dict().items()}
    state |= {"mean": parts.mean, "std": parts.std, "words": parts.words.vectors}
    for name in sorted(state):
        array = np.ascontiguousarray(state[name])
        found.update(f"{name} {array.dtype} {array.shape}".encode())
        found.update(array.tobytes())
    further = [
        sorted(parts.words.indices.items()),
        parts.tagger.name,
        parts.tagger.saved(),
        parts.own_tokens,
        parts.max_frames,
        parts.batch_size,
    ]
    found.update(json.dumps(further, sort_keys=True).encode())
    return found.hexdigest()[:LETTERS]


def write_evaluator(parts: T2MParts, folder: Path, class_name: str) -> None:
    """Write all files; the description, without which nothing is found, comes last.

    Args:
        class_name: of the evaluator that is to be built of them.
    """
    state = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in parts.networks.state_dict().items()
    }
    state |= {"mean": torch.from_numpy(parts.mean), "std": torch.from_numpy(parts.std)}
    save_with(folder / WEIGHTS, lambda path: save_file(state, path))
    parts.words.save(folder)
    description = {
        "class": class_name,
        "format": FORMAT,
        "fingerprint": fingerprint_of(parts),
        "description": parts.description,
        "tagger": {"name": parts.tagger.name, "saved": parts.tagger.saved()},
        "own_tokens": parts.own_tokens,
    }
    write_json(folder / DESCRIPTION, description)


def read_evaluator(folder: Path) -> T2MParts:
    """What `write_evaluator` wrote.

    Raises:
        UserError: a file is missing or damaged, or spaCy is needed and absent.
    """
    try:
        saved = read_json_object(folder / DESCRIPTION)
        if saved["format"] != FORMAT:
            raise ValueError(f"format {saved['format']}, expected {FORMAT}")
        about = dict(saved["description"])
        networks = T2MNetworks(T2MSizes(**about["sizes"]))
        state = load_file(folder / WEIGHTS)
        arguments = {
            "max_frames": about["max_frames"],
            "batch_size": about["batch_size"],
            "tagger": restore_tagger(saved["tagger"]["name"], saved["tagger"]["saved"]),
            "own_tokens": saved["own_tokens"],
            "about": {key: value for key, value in about.items() if key not in COMPUTED},
            "mean": state.pop("mean").numpy(),
            "std": state.pop("std").numpy(),
        }
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        said = " ".join(str(error).split())
        raise UserError(
            f"{folder}: a broken evaluator ({type(error).__name__}: {said}); delete the run "
            "folder and run the evaluator stage again"
        ) from error
    check_state(str(folder / WEIGHTS), networks.state_dict(), state)
    networks.load_state_dict(state)
    return T2MParts(networks=networks, words=WordVectors.load(folder), **arguments)
