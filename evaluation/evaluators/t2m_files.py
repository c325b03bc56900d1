"""Files of a saved T2M evaluator, whether trained here or published.

`evaluator.json` (what it is), `evaluator.safetensors` (weights, mean, std), `words.npy` and
`words.json` (a vector for each word).
"""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from evaluation.evaluators.base import DESCRIPTION
from evaluation.evaluators.sentence_tags import restore_tagger
from evaluation.evaluators.t2m_networks import T2MNetworks, T2MSizes
from evaluation.evaluators.t2m_weights import check_state
from evaluation.evaluators.word_vectors import WordVectors
from motiongpt.errors import UserError
from motiongpt.files import save_with, write_json

if TYPE_CHECKING:
    from evaluation.evaluators.t2m_evaluator import T2MEvaluator

FORMAT = 1
WEIGHTS = "evaluator.safetensors"
LETTERS = 16
COMPUTED = ("max_frames", "batch_size", "sizes")
"""What the evaluator itself adds to its description."""


def fingerprint_of(evaluator: "T2MEvaluator") -> str:
    """First 16 letters of the SHA-256 of all that an embedding depends on."""
    found = hashlib.sha256()
    state = {name: tensor.cpu().numpy() for name, tensor in evaluator.networks.state_dict().items()}
    state |= {"mean": evaluator.mean, "std": evaluator.std, "words": evaluator.words.vectors}
    for name in sorted(state):
        array = np.ascontiguousarray(state[name])
        found.update(f"{name} {array.dtype} {array.shape}".encode())
        found.update(array.tobytes())
    further = [
        sorted(evaluator.words.places.items()),
        evaluator.tagger.name,
        evaluator.tagger.saved(),
        evaluator.own_tokens,
        evaluator.max_frames,
        evaluator.batch_size,
    ]
    found.update(json.dumps(further, sort_keys=True).encode())
    return found.hexdigest()[:LETTERS]


def write_evaluator(evaluator: "T2MEvaluator", folder: Path) -> None:
    """Write all files; the description, without which nothing is found, comes last."""
    state = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in evaluator.networks.state_dict().items()
    }
    state |= {"mean": torch.from_numpy(evaluator.mean), "std": torch.from_numpy(evaluator.std)}
    save_with(folder / WEIGHTS, lambda path: save_file(state, path))
    evaluator.words.save(folder)
    description = {
        "class": type(evaluator).__name__,
        "format": FORMAT,
        "fingerprint": evaluator.fingerprint,
        "description": evaluator.description,
        "tagger": {"name": evaluator.tagger.name, "saved": evaluator.tagger.saved()},
        "own_tokens": evaluator.own_tokens,
    }
    write_json(folder / DESCRIPTION, description)


def read_evaluator(folder: Path) -> dict[str, Any]:
    """Arguments of `T2MEvaluator` from what `write_evaluator` wrote.

    Raises:
        UserError: a file is missing or damaged, or spaCy is needed and absent.
    """
    try:
        saved = json.loads((folder / DESCRIPTION).read_text())
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
    return {**arguments, "networks": networks, "words": WordVectors.load(folder)}
