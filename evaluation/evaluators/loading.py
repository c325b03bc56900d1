"""A saved evaluator of whichever kind."""

from pathlib import Path

import torch

from evaluation import evaluators
from evaluation.evaluators.base import DESCRIPTION, Evaluator
from motiongpt.errors import UserError
from motiongpt.reading import read_json_object
from motiongpt.registry import class_by_name


def load_evaluator(folder: Path | str, device: str | torch.device = "cpu") -> Evaluator:
    """Open what the evaluator stage left in its folder `evaluator/`.

    Raises:
        UserError: nothing there, damaged, or of a class that this version doesn't know.
    """
    path = Path(folder) / DESCRIPTION
    try:
        name = read_json_object(path)["class"]
    except FileNotFoundError:
        raise UserError(
            f"{folder}: no evaluator here; run the evaluator stage: motiongpt run goal=evaluator"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path}: can't be read ({type(error).__name__}); delete the run folder and run the "
            "evaluator stage again"
        ) from error
    found = class_by_name(evaluators, Evaluator, name)  # type: ignore[type-abstract]
    return found.load(Path(folder), device)
