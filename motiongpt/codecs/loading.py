"""The trained codec of a folder, of whichever kind."""

from pathlib import Path

import torch

from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.codecs.trained_codec import TrainedCodec
from motiongpt.codecs.trained_latents import TrainedLatents
from motiongpt.errors import UserError

KINDS: tuple[type[TrainedCodec], ...] = (TrainedTokenizer, TrainedLatents)


def is_codec(folder: Path) -> bool:
    """Whether a trained codec lies in `folder`, of whichever kind."""
    return any((Path(folder) / kind.files.description).is_file() for kind in KINDS)


def load_codec(folder: Path, device: str | torch.device = "cpu") -> TrainedCodec:
    """The trained codec of `folder`, of whichever kind its description says.

    Raises:
        UserError: no description of a codec there, or as `CodecFiles.read`.
    """
    for kind in KINDS:
        if (Path(folder) / kind.files.description).exists():
            return kind.open(folder, {}, device)
    names = " or ".join(kind.files.description for kind in KINDS)
    raise UserError(f"{folder}: no {names}, so no codec; run the stage that trains it first")
