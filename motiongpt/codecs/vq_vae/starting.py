"""Fine-tuning: a tokenizer that starts from the weights of a trained one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from motiongpt.codecs.base import DiscreteCodec
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.errors import UserError

# Argument of a tokenizer -> the option that sets it, where they differ.
OPTIONS = {"frames_per_token": "downsampling"}


def start_from(folder: Path, tokenizer: DiscreteCodec) -> tuple[np.ndarray, np.ndarray]:
    """Copy the weights of the tokenizer in `folder` into `tokenizer`.

    Returns:
        Mean and std (F,) that the weights were trained with: under others they mean other motion.

    Raises:
        UserError: no tokenizer there, or one of other sizes; names the options that fit it.
    """
    trained = TrainedTokenizer.load(folder, n_features=tokenizer.n_features)
    differing = _differing(tokenizer.arguments(), trained.tokenizer.arguments())
    if differing or type(tokenizer) is not type(trained.tokenizer):
        fitting = " ".join(differing) or f"a tokenizer of class {type(trained.tokenizer).__name__}"
        raise UserError(
            f"init_from: {folder} has other sizes than the tokenizer; run with {fitting}"
        )
    tokenizer.load_state_dict(trained.tokenizer.state_dict())
    return trained.mean, trained.std


def _differing(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    return [
        f"{OPTIONS.get(name, f'tokenizer.{name}')}={found[name]}"
        for name, value in wanted.items()
        if name in found and found[name] != value and not isinstance(value, Mapping)
    ]
