"""The trained codec of a folder, of whichever kind."""

from pathlib import Path

import torch

from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.codecs.trained_codec import TrainedCodec
from motiongpt.codecs.trained_latents import TrainedLatents
from motiongpt.errors import UserError


def load_codec(folder: Path, device: str | torch.device = "cpu") -> TrainedCodec:
    """The trained codec of `folder`, of whichever kind its description says.

    Raises:
        UserError: no description of a codec there, or as `CodecFiles.read`.
    """
    kinds = (TrainedTokenizer, TrainedLatents)
    for kind in kinds:
        if (Path(folder) / kind.files.description).exists():
            return kind.open(folder, {}, device)
    names = " or ".join(kind.files.description for kind in kinds)
    raise UserError(f"{folder}: no {names}, so no codec; run the stage that trains it first")
