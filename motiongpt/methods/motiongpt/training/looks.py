"""What is looked at while MotionGPT is tuned: motions of validation captions."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from motiongpt.backbones.base import Backbone
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.errors import UserError
from motiongpt.methods.base import TEXT_TO_MOTION, MotionFormat, Request
from motiongpt.methods.motiongpt.method import MotionGPTMethod
from motiongpt.training.stage import MODEL, StageContext
from motiongpt.training.watching import Looks, Watch

TOKENIZER = "tokenizer"


WHOLE_MODEL = ("auto", "ddp")  # strategies by which each process holds all weights


def check_strategy(context: StageContext) -> None:
    """Refuse to look at a model whose weights are spread over processes.

    Raises:
        UserError: names the strategy; all processes raise it, before any waits for another.
    """
    strategy = context.hardware.strategy
    if context.processes.world > 1 and strategy not in WHOLE_MODEL:
        raise UserError(
            f"watch: trainer.hardware.strategy={strategy} spreads the model over "
            f"{context.processes.world} processes, one of which would generate; use ddp, or leave "
            "watch out"
        )


def looks_at(watch: Watch, backbone: Backbone, mix: Any, seed: int, context: StageContext) -> Looks:
    """Looks at the motions of a backbone that is being trained.

    Args:
        mix: its tasks.
        seed: of what is sampled, the same at each look.

    Raises:
        UserError: tasks without text to motion, or nothing to look at.
    """
    if TEXT_TO_MOTION not in mix:
        raise UserError(
            f"watch: the tasks {', '.join(mix)} make no motion of a text; choose tasks=all, or "
            "leave watch out"
        )
    store = context.store
    codec = TrainedTokenizer.load(context.parents[TOKENIZER] / MODEL, device=context.device)
    watch.judge.open(context.parents[watch.judge.parent], store)
    clips = watch.chosen(store)

    def generate(captions: Sequence[str]) -> list[np.ndarray]:
        method = MotionGPTMethod(codec, backbone, MotionFormat(store.fps, store.skeleton), mix)
        names = [store.names[clip] for clip in clips]
        requests = [
            Request(name, TEXT_TO_MOTION, text=caption, max_frames=watch.max_frames)
            for name, caption in zip(names, captions, strict=True)
        ]
        backbone.eval()
        try:
            outputs = method.generate(requests, seed)
        finally:
            backbone.train()
        empty = np.zeros((0, store.n_features), np.float32)
        return [empty if one.motion is None else one.motion for one in outputs]

    captions = [store.captions(clip)[0].text for clip in clips]
    return Looks(watch, clips, captions, generate, backbone.save, context.folder, context.log)
