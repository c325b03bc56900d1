"""Stage 1: train the motion tokenizer."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig

from motiongpt.codecs.stage import CodecStage
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.codecs.vq_vae.losses import TokenizerLosses
from motiongpt.codecs.vq_vae.window_batch import check_tokens, window_collator
from motiongpt.data.windows import FeatureWindows
from motiongpt.errors import UserError
from motiongpt.training.stage import StageContext


class TokenizerStage(CodecStage):
    """Trains a codec of tokens.

    Args:
        tokenizer: a `_partial_` node of conf/tokenizer; the number of features is added.
        window: frames of a training clip, at least one token of the tokenizer.
        settings: see `CodecStage`; losses are of `TokenizerLosses`.
    """

    def __init__(self, tokenizer: DictConfig, window: int, **settings: Any) -> None:
        super().__init__(tokenizer, **settings)
        self.window = window

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Train and save.

        Raises:
            UserError: a clip, or the window, is shorter than one token.
        """
        from motiongpt.codecs.vq_vae.module import TokenizerModule  # see `CodecStage`

        store = context.store
        tokenizer = self.untrained(store.n_features)
        rate = tokenizer.frames_per_token
        if self.window < rate:
            raise UserError(
                f"stage.{context.stage}.window is {self.window} frames, less than one token "
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
        clips = np.concatenate([windows.indices("train"), windows.indices("val")])
        check_tokens(store, clips, rate)
        collate = window_collator(rate)
        return self.train(tokenizer, module, windows, collate, TrainedTokenizer, context)
