"""A stage that takes a published part where others train: nothing is learned, all else is as usual.

It is signed by the content of the model folder, wherever it lies.
"""

import math
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from motiongpt.codecs.loading import load_codec
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.preflight import Outlook
from motiongpt.published.folder import ModelFolder
from motiongpt.training.stage import MODEL, Stage, StageContext


class ImportedPartStage(Stage):
    """Leaves one part of a model folder in `model/`, with its own statistics.

    Args:
        weights: the model folder; None is refused when the stage runs.
        part: of the method.
        expected: attribute of a codec -> what the configuration says of it, and by which option.
    """

    def __init__(
        self, weights: str | None, part: str, expected: Mapping[str, Sequence[Any]] | None = None
    ) -> None:
        self.weights, self.part, self.expected = weights, part, dict(expected or {})

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """A model folder with this part."""
        folder = self._folder()
        if outlook.store is not None:
            _check_motion(folder, outlook.store)
        folder.part(self.part)
        return ()

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Check and copy.

        Raises:
            UserError: no folder named, one without this part, motions of another skeleton or rate
                than the data's, or other sizes than the configuration says.
        """
        folder = self._folder()
        _check_motion(folder, context.store)
        context.log(f"  {context.stage}: {folder.name}, nothing is trained")
        part = folder.part(self.part)
        if self.expected:
            self._check_codec(part)
        shutil.copytree(part, context.folder / MODEL, dirs_exist_ok=True)
        size = sum(file.stat().st_size for file in part.rglob("*.safetensors"))
        return {"weights_mb": size / 1e6}

    def _folder(self) -> ModelFolder:
        if self.weights is None:
            raise UserError(
                "set published.folder=FOLDER, a model folder: `motiongpt import-checkpoint` makes "
                "one of a released checkpoint"
            )
        return ModelFolder.open(Path(self.weights))

    def _check_codec(self, part: Path) -> None:
        network = load_codec(part).network
        for name, (expected, option) in self.expected.items():
            found = getattr(network, name, "none")
            if found != expected:
                raise UserError(
                    f"{part}: expected {option}={expected}, found {found}; run with "
                    f"{option}={found}"
                )


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
