"""Stage 1: train the motion tokenizer."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig

from motiongpt.codecs.stage import CodecStage
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.codecs.vq_vae.losses import TokenizerLosses
from motiongpt.codecs.vq_vae.starting import start_from
from motiongpt.codecs.vq_vae.window_batch import check_tokens, window_collator
from motiongpt.data.windows import FeatureWindows
from motiongpt.errors import UserError
from motiongpt.preflight import Outlook
from motiongpt.training.stage import StageContext


class TokenizerStage(CodecStage):
    """Trains a codec of tokens.

    Args:
        tokenizer: a `_partial_` node of conf/tokenizer; the number of features is added.
        window: frames of a training clip, at least one token of the tokenizer.
        init_from: folder of a trained tokenizer to start from, with its statistics; None starts
            from random weights and the data's statistics.
        settings: see `CodecStage`; losses are of `TokenizerLosses`.
    """

    def __init__(
        self, tokenizer: DictConfig, window: int, init_from: str | None = None, **settings: Any
    ) -> None:
        super().__init__(tokenizer, **settings)
        self.window, self.init_from = window, init_from

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """A tokenizer to start from that has these sizes."""
        if self.init_from is not None:
            folder = Path(self.init_from)
            start_from(folder, self.untrained(TrainedTokenizer.load(folder).n_features))
        return ()

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Train and save.

        Raises:
            UserError: a clip, or the window, is shorter than one token, or a tokenizer of other
                sizes to start from.
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
        statistics = store.mean, store.std
        if self.init_from is not None:
            statistics = start_from(Path(self.init_from), tokenizer)
            context.log(f"  {context.stage}: starts from {self.init_from}")
        module = TokenizerModule(
            tokenizer,
            TokenizerLosses(store.skeleton, **self.losses),
            store.skeleton,
            torch.from_numpy(statistics[0]),
            torch.from_numpy(statistics[1]),
            *self.optimization,
        )
        windows = FeatureWindows(store, self.window, self.short, statistics)
        clips = np.concatenate([windows.indices("train"), windows.indices("val")])
        check_tokens(store, clips, rate)
        collate = window_collator(rate)
        return self.train(tokenizer, module, windows, collate, TrainedTokenizer, context)
