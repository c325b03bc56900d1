"""Stage 1: train the motion tokenizer."""

from collections.abc import Mapping
from typing import Any, ClassVar

import lightning.pytorch as pl
import numpy as np
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig

from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.codecs.vq_vae.losses import TokenizerLosses
from motiongpt.codecs.vq_vae.module import TokenizerModule
from motiongpt.codecs.vq_vae.window_batch import check_tokens, window_collator
from motiongpt.data.windows import FeatureWindows
from motiongpt.errors import UserError
from motiongpt.training.compilation import compile_parts
from motiongpt.training.fit import Schedule, fit
from motiongpt.training.optimization import make_optimization
from motiongpt.training.stage import MODEL, Stage, StageContext


class TokenizerStage(Stage):
    """Leaves the trained tokenizer, with its statistics, in `model/`.

    Args:
        tokenizer: a `_partial_` node of conf/tokenizer; the number of features is added.
        window: frames of a training clip, at least one token of the tokenizer.
        short: what becomes of shorter clips: "pad", which no loss sees, or "skip".
        losses: arguments of `TokenizerLosses`.
        optimizer, scheduler, learning_rate, schedule, seed: how it is trained.
    """

    distributed: ClassVar[bool] = True

    def __init__(
        self,
        tokenizer: DictConfig,
        window: int,
        short: str,
        losses: Mapping[str, Any],
        optimizer: DictConfig,
        scheduler: DictConfig,
        learning_rate: float,
        schedule: DictConfig,
        seed: int,
    ) -> None:
        self.tokenizer, self.losses, self.seed = tokenizer, losses, seed
        self.window, self.short = window, short
        self.schedule = Schedule(**schedule)  # type: ignore[arg-type]
        self.optimization = make_optimization(
            optimizer, scheduler, learning_rate, self.schedule.steps
        )

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Train and save.

        Raises:
            UserError: a clip, or the window, is shorter than one token.
        """
        store = context.store
        pl.seed_everything(self.seed, workers=False, verbose=False)
        tokenizer = instantiate(self.tokenizer)(n_features=store.n_features)
        rate = tokenizer.frames_per_token
        if self.window < rate:
            raise UserError(
                f"stage.tokenizer.window is {self.window} frames, less than one token "
                f"({rate} frames); make it longer"
            )
        module = TokenizerModule(
            tokenizer,
            TokenizerLosses(store.skeleton, **self.losses),
            store.skeleton,
            torch.from_numpy(store.mean),
            torch.from_numpy(store.std),
            *self.optimization,
        )
        windows = FeatureWindows(store, self.window, self.short)
        clips = windows.indices("train"), windows.indices("val")
        check_tokens(store, np.concatenate(clips), rate)
        context.log(f"  tokenizer: {len(clips[0])} training and {len(clips[1])} validation clips")
        if context.hardware.compile:
            compile_parts(tokenizer.compiled_parts())
        collate = window_collator(rate)
        metrics = fit(
            "tokenizer", module, windows, collate, clips, self.schedule, self.seed, context
        )
        if context.processes.is_first:
            TrainedTokenizer(tokenizer, store.mean, store.std).save(context.folder / MODEL)
        return metrics
