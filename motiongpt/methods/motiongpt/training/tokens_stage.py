"""Between stages 1 and 2: every clip as tokens, once, for all language models that follow."""

from collections.abc import Mapping, Sequence

import numpy as np

from motiongpt.allocation import keep_freed_memory
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.codecs.vq_vae.window_batch import check_tokens
from motiongpt.methods.motiongpt.tasks.clip_tokens import WHOLE
from motiongpt.methods.motiongpt.tasks.views import views_from
from motiongpt.methods.motiongpt.token_store import TokenStore
from motiongpt.training.stage import MODEL, Stage, StageContext

TOKENS = "tokens"


class TokensStage(Stage):
    """Leaves a `TokenStore` of all splits in `tokens/`.

    Args:
        views: name -> [start, end], the parts of each clip that completion tasks are given.
    """

    def __init__(self, views: Mapping[str, Sequence[float]]) -> None:
        self.views = views_from(views)

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Encode the whole clips and each view alone.

        Raises:
            UserError: a clip is shorter than one token.
        """
        keep_freed_memory()
        store = context.store
        tokenizer = TrainedTokenizer.load(
            context.parents["tokenizer"] / MODEL, device=context.device
        )
        rate = tokenizer.frames_per_token
        check_tokens(store, np.arange(len(store)), rate)
        clips = [store.features(index) for index in range(len(store))]
        codes = {WHOLE: tokenizer.encode(clips)}
        for view in self.views:
            context.log(f"  tokens: {view.name} of {len(clips)} clips")
            ranges = [view.frame_range(len(clip), rate) for clip in clips]
            codes[view.name] = tokenizer.encode(
                [clip[first:last] for clip, (first, last) in zip(clips, ranges, strict=True)]
            )
        TokenStore.write(context.folder / TOKENS, codes, rate, tokenizer.codebook_size)
        whole = codes[WHOLE]
        return {
            "tokens": float(sum(map(len, whole))),
            "clips": float(len(whole)),
            "codes_used": float(len({int(code) for clip in whole for code in clip})),
        }
