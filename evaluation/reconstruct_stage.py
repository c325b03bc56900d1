"""The stage that codes and decodes real clips: what a tokenizer keeps of them."""

from collections.abc import Mapping

from evaluation.answers.predictions import PREDICTIONS, About, Answers, PredictionSet
from evaluation.answers.selection import chosen_clips
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.codecs.vq_vae.stage import MODEL
from motiongpt.training.stage import Stage, StageContext

RECONSTRUCTION = "reconstruction"


class ReconstructStage(Stage):
    """Leaves `predictions/reconstruction/`; the same each time, so one replication.

    Args:
        split, clips: which clips, and how many of them; None for all.
        seed: recorded; nothing is drawn.
    """

    def __init__(self, split: str, clips: int | None, seed: int) -> None:
        self.split, self.clips, self.seed = split, clips, seed

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Code, decode, save; reports how many clips."""
        store = context.store
        tokenizer = TrainedTokenizer.load(
            context.parents["tokenizer"] / MODEL, device=context.device
        )
        rate = tokenizer.frames_per_token
        chosen = chosen_clips(store, self.split, self.clips)
        indices = [i for i in chosen if int(store.lengths[i]) >= rate]
        frames = [int(store.lengths[i]) // rate * rate for i in indices]
        real = [store.features(i, 0, n) for i, n in zip(indices, frames, strict=True)]
        about = About(
            task=RECONSTRUCTION,
            kind="reconstruction",
            fingerprint=store.fingerprint,
            clips=[store.names[i] for i in indices],
            frames=frames,
            given=[(0, 0)] * len(indices),
            seeds=[self.seed],
        )
        made = PredictionSet.create(context.folder / PREDICTIONS / RECONSTRUCTION, about)
        empty = [""] * len(indices)
        motions = tokenizer.decode(tokenizer.encode(real))
        made.write(0, Answers([-1] * len(indices), empty, empty, motions))
        return {"clips": float(len(indices))}
