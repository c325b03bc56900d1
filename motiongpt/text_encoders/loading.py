"""A saved text encoder of whichever kind."""

from pathlib import Path

import torch

from motiongpt import text_encoders
from motiongpt.errors import UserError
from motiongpt.reading import read_json_object
from motiongpt.registry import class_by_name
from motiongpt.text_encoders.base import DESCRIPTION, TextEncoder


def load_text_encoder(folder: Path | str, device: str | torch.device = "cpu") -> TextEncoder:
    """Open what `TextEncoder.save` wrote, as the text encoder stage leaves it in `model/`.

    Raises:
        UserError: nothing there, damaged, or of a class that this version doesn't know.
    """
    path = Path(folder) / DESCRIPTION
    try:
        settings = read_json_object(path)
        name = settings.pop("class")
    except FileNotFoundError:
        raise UserError(
            f"{folder}: no text encoder here ({DESCRIPTION} is absent); run its stage: "
            "motiongpt run goal=text_encoder"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path}: can't be read ({type(error).__name__}); delete the run folder and run the "
            "text encoder stage again"
        ) from error
    found = class_by_name(text_encoders, TextEncoder, name)  # type: ignore[type-abstract]
    return found.load(Path(folder), settings).to(device)
