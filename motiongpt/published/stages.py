"""Stages that take published weights where others train: nothing is learned, all else is as usual.

Both are signed by the content of the model folder, wherever it lies.
"""

import math
from collections.abc import Mapping
from pathlib import Path

from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.codecs.vq_vae.stage import MODEL
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.published.folder import ModelFolder
from motiongpt.training.stage import Stage, StageContext


class ImportedTokenizerStage(Stage):
    """Leaves the tokenizer of a model folder, with its own statistics, in `model/`.

    Args:
        weights: the model folder; None is refused when the stage runs.
        codebook_size, frames_per_token: what the configuration says of the tokenizer.
    """

    def __init__(self, weights: str | None, codebook_size: int, frames_per_token: int) -> None:
        self.weights = weights
        self.codebook_size, self.frames_per_token = codebook_size, frames_per_token

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Check and copy.

        Raises:
            UserError: no folder named, motions of another skeleton or rate than the data's, or
                other sizes than the configuration says.
        """
        folder = _opened(self.weights, context)
        tokenizer = folder.tokenizer()
        for found, expected, option in (
            (tokenizer.codebook_size, self.codebook_size, "tokenizer.codebook_size"),
            (tokenizer.frames_per_token, self.frames_per_token, "downsampling"),
        ):
            if found != expected:
                raise UserError(
                    f"{folder.folder}: expected {option}={expected}, found {found}; run with "
                    f"{option}={found}"
                )
        tokenizer.save(context.folder / MODEL)
        return {"parameters": float(sum(p.numel() for p in tokenizer.tokenizer.parameters()))}


class ImportedLanguageModelStage(Stage):
    """Leaves the language model of a model folder in `model/`; takes the place of instruct.

    Args:
        weights: the model folder; None is refused when the stage runs.
    """

    def __init__(self, weights: str | None) -> None:
        self.weights = weights

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Check and copy.

        Raises:
            UserError: no folder named, one without a language model, motions of another skeleton or
                rate than the data's, or a codebook of another size than the tokenizer's.
        """
        folder = _opened(self.weights, context)
        backbone = folder.backbone()
        tokenizer = TrainedTokenizer.load(context.parents["tokenizer"] / MODEL)
        codes = backbone.vocabulary.codebook_size
        if codes != tokenizer.codebook_size:
            raise UserError(
                f"{folder.folder}: its language model writes {codes} codes, the tokenizer of this "
                f"experiment has {tokenizer.codebook_size}: take both from one model folder"
            )
        backbone.save(context.folder / MODEL)
        return {"parameters": float(sum(p.numel() for p in backbone.parameters()))}


def _opened(weights: str | None, context: StageContext) -> ModelFolder:
    if weights is None:
        raise UserError(
            "set published.folder=FOLDER, a model folder: `motiongpt import-checkpoint` makes one "
            "of a released checkpoint"
        )
    folder = ModelFolder.open(Path(weights))
    _check_motion(folder, context.store)
    context.say(f"  {context.stage}: {folder.name}, nothing is trained")
    return folder


def _check_motion(folder: ModelFolder, store: MotionStore) -> None:
    """Refuse data whose features mean something else to the weights."""
    if folder.skeleton != store.skeleton.name:
        raise UserError(
            f"{folder.folder}: weights for the skeleton {folder.skeleton}, data={store.name} has "
            f"{store.skeleton.name}"
        )
    if not math.isclose(folder.fps, store.fps):
        raise UserError(
            f"{folder.folder}: weights for {folder.fps:g} frames per second, data={store.name} has "
            f"{store.fps:g}"
        )
