"""The stage that trains a continuous codec."""

from collections.abc import Mapping
from typing import Any, ClassVar

import lightning.pytorch as pl
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig

from motiongpt.codecs.base import ContinuousCodec
from motiongpt.codecs.continuous.batch import collate_clips
from motiongpt.codecs.continuous.losses import ContinuousLosses
from motiongpt.codecs.continuous.module import ContinuousModule
from motiongpt.codecs.trained_latents import TrainedLatents
from motiongpt.data.windows import FeatureWindows
from motiongpt.errors import UserError
from motiongpt.training.compilation import compile_parts
from motiongpt.training.fit import Schedule, fit
from motiongpt.training.optimization import make_optimization
from motiongpt.training.stage import MODEL, Stage, StageContext


class ContinuousCodecStage(Stage):
    """Leaves the trained codec, with its statistics, in `model/`.

    Args:
        codec: a `_partial_` node of conf/codec; the number of features is added.
        window: frames of a training clip, longer ones are cut at a random position; None takes the
            longest that the codec can.
        short: what becomes of shorter clips: "pad" or "skip".
        losses: arguments of `ContinuousLosses`.
        optimizer, scheduler, learning_rate, schedule, seed: how it is trained.
    """

    distributed: ClassVar[bool] = True

    def __init__(
        self,
        codec: DictConfig,
        window: int | None,
        short: str,
        losses: Mapping[str, Any],
        optimizer: DictConfig,
        scheduler: DictConfig,
        learning_rate: float,
        schedule: DictConfig,
        seed: int,
    ) -> None:
        self.codec, self.losses, self.seed = codec, losses, seed
        self.window, self.short = window, short
        self.schedule = Schedule(**schedule)  # type: ignore[arg-type]
        self.optimization = make_optimization(
            optimizer, scheduler, learning_rate, self.schedule.steps
        )

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Train and save.

        Raises:
            UserError: a window that the codec can't take.
        """
        store = context.store
        pl.seed_everything(self.seed, workers=False, verbose=False)
        codec = instantiate(self.codec)(n_features=store.n_features)
        module = ContinuousModule(
            codec,
            ContinuousLosses(store.skeleton, **self.losses, clips=self.schedule.batch_size),
            store.skeleton,
            torch.from_numpy(store.mean),
            torch.from_numpy(store.std),
            *self.optimization,
        )
        frames = window_of(context.stage, codec, self.window)
        windows = FeatureWindows(store, frames, self.short)
        clips = windows.indices("train"), windows.indices("val")
        context.log(
            f"  {context.stage}: {len(clips[0])} training and {len(clips[1])} validation clips"
        )
        if context.hardware.compile:
            compile_parts(codec.compiled_parts())
        metrics = fit(
            context.stage, module, windows, collate_clips, clips, self.schedule, self.seed, context
        )
        if context.processes.is_first:
            TrainedLatents(codec, store.mean, store.std).save(context.folder / MODEL)
        return metrics


def window_of(stage: str, codec: ContinuousCodec, window: int | None) -> int:
    """Frames of a training clip.

    Args:
        stage: its name, for messages.
        codec: that is trained.
        window: that was asked for; None for the longest that the codec can.

    Raises:
        UserError: none given for a codec without a longest clip, or one that it can't take.
    """
    frames = codec.longest if window is None else window
    if frames is None:
        raise UserError(
            f"stage.{stage}.window is null, but the codec takes any length; give a number of frames"
        )
    if not codec.shortest <= frames <= (codec.longest or frames):
        raise UserError(
            f"stage.{stage}.window is {frames} frames; the codec takes {codec.shortest} to "
            f"{codec.longest or 'any number'}"
        )
    return frames
