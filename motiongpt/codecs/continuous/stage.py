"""The stage that trains a continuous codec."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from omegaconf import DictConfig

from motiongpt.codecs.base import ContinuousCodec
from motiongpt.codecs.continuous.batch import collate_clips
from motiongpt.codecs.continuous.losses import ContinuousLosses
from motiongpt.codecs.stage import CodecStage
from motiongpt.codecs.trained_latents import TrainedLatents
from motiongpt.data.windows import FeatureWindows
from motiongpt.errors import UserError
from motiongpt.preflight import Outlook
from motiongpt.training.stage import StageContext


class ContinuousCodecStage(CodecStage):
    """Trains a codec of vectors.

    Args:
        codec: a `_partial_` node of conf/codec; the number of features is added.
        window: frames of a training clip, longer ones are cut at a random position; None takes the
            longest that the codec can. Only of a codec that takes any length may it be less than
            the clips have: others learn every place of a clip on its own.
        settings: see `CodecStage`; losses are of `ContinuousLosses`.
    """

    def __init__(self, codec: DictConfig, window: int | None, **settings: Any) -> None:
        super().__init__(codec, **settings)
        self.window = window

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """The window, where the clips are known."""
        if outlook.store is not None:
            codec = self.untrained(outlook.store.n_features)
            window_of("codec", codec, self.window, int(outlook.store.lengths.max()))
        return ()

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Train and save.

        Raises:
            UserError: a window that the codec can't take.
        """
        from motiongpt.codecs.continuous.module import ContinuousModule  # see `CodecStage`

        store = context.store
        codec = self.untrained(store.n_features)
        module = ContinuousModule(
            codec,
            ContinuousLosses(store.skeleton, **self.losses, clips=self.schedule.batch_size),
            store.skeleton,
            torch.from_numpy(store.mean),
            torch.from_numpy(store.std),
            *self.optimization,
        )
        frames = window_of(context.stage, codec, self.window, int(store.lengths.max()))
        windows = FeatureWindows(store, frames, self.short)
        return self.train(codec, module, windows, collate_clips, TrainedLatents, context)


def window_of(stage: str, codec: ContinuousCodec, window: int | None, longest_clip: int) -> int:
    """Frames of a training clip.

    Args:
        stage: its name, for messages.
        codec: that is trained.
        window: that was asked for; None for the longest that the codec can.
        longest_clip: frames of the longest clip of the data.

    Raises:
        UserError: none given for a codec without a longest clip, one that it can't take, or one
            that leaves places of a clip untrained.
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
    whole = min(codec.longest or 0, longest_clip)
    if frames < whole:
        raise UserError(
            f"stage.{stage}.window is {frames} frames; the codec learns each place of a clip and "
            f"is asked for up to {whole}: places beyond {frames} would stay untrained; give null"
        )
    return frames
