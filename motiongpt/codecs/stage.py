"""What the stages that train codecs share."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig

from motiongpt.codecs.base import Codec
from motiongpt.codecs.trained_codec import TrainedCodec
from motiongpt.data.windows import FeatureWindows
from motiongpt.training.compilation import compile_parts
from motiongpt.training.optimization import make_optimization
from motiongpt.training.schedule import Schedule
from motiongpt.training.seeding import seed_everything
from motiongpt.training.stage import MODEL, Stage, StageContext

if TYPE_CHECKING:
    from motiongpt.codecs.module import CodecModule


class CodecStage(Stage):
    """Trains a codec on windows of features and leaves it, with its statistics, in `model/`.

    Lightning takes seconds to import: it is where training begins, since plans build stages too.

    Args:
        network: a `_partial_` node of the codec; the number of features is added.
        short: what becomes of clips shorter than a window: "pad", which no loss sees, or "skip".
        losses: arguments of the codec's losses.
        optimizer, scheduler, learning_rate, schedule, seed: how it is trained.
    """

    distributed: ClassVar[bool] = True
    can_start: ClassVar[bool] = True

    def __init__(
        self,
        network: DictConfig,
        short: str,
        losses: Mapping[str, Any],
        optimizer: DictConfig,
        scheduler: DictConfig,
        learning_rate: float,
        schedule: DictConfig,
        seed: int,
    ) -> None:
        self.network, self.losses, self.seed = network, losses, seed
        self.short = short
        self.schedule = Schedule.of(schedule)
        self.optimization = make_optimization(
            optimizer, scheduler, learning_rate, self.schedule.steps
        )

    def untrained(self, n_features: int) -> Any:
        """The codec before training, the same for the same seed."""
        seed_everything(self.seed)
        return instantiate(self.network)(n_features=n_features)

    def train(
        self,
        network: Codec,
        module: "CodecModule",
        windows: FeatureWindows,
        collate: Callable[..., Any],
        trained: type[TrainedCodec],
        context: StageContext,
    ) -> Mapping[str, float]:
        """Train on the windows and save.

        Args:
            collate: makes a batch of windows.
            trained: what the network is saved as.
        """
        from motiongpt.training.fit import fit  # see `CodecStage`

        context.start.load(network, trained.files.prefix)
        clips = windows.indices("train"), windows.indices("val")
        name, store = context.stage, context.store
        context.log(f"  {name}: {len(clips[0])} training and {len(clips[1])} validation clips")
        if context.hardware.compile:
            compile_parts(network.compiled_parts())
        lengths = np.minimum(store.lengths, windows.frames)
        metrics = fit(
            name, module, windows, collate, clips, self.schedule, self.seed, context, lengths
        )
        if context.processes.is_first:
            trained(network, windows.mean, windows.std).save(context.folder / MODEL)
        return metrics
