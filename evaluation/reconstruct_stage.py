"""The stage that encodes and decodes real clips: what a codec keeps of them."""

from collections.abc import Mapping

from evaluation.requests.building import chosen_clips
from evaluation.requests.predictions import PREDICTIONS, About, Outputs, PredictionSet
from motiongpt.codecs.loading import load_codec
from motiongpt.training.stage import MODEL, Stage, StageContext

RECONSTRUCTION = "reconstruction"


class ReconstructStage(Stage):
    """Leaves `predictions/reconstruction/`; the same each time, so one replication.

    Every clip is asked for whole, so that references are the same for every codec.

    Args:
        codec: stage that leaves the codec.
        split, clips: which clips, and how many of them; None for all.
        multiple: lengths are cut to a multiple of so many frames, as the protocol has it.
        seed: recorded; nothing is drawn.
    """

    def __init__(self, codec: str, split: str, clips: int | None, multiple: int, seed: int) -> None:
        self.codec, self.split, self.clips = codec, split, clips
        self.multiple, self.seed = multiple, seed

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Encode, decode, save; reports how many clips."""
        store = context.store
        codec = load_codec(context.parents[self.codec] / MODEL, context.device)
        lengths = {i: int(store.lengths[i]) for i in chosen_clips(store, self.split, self.clips)}
        frames = {i: length // self.multiple * self.multiple for i, length in lengths.items()}
        indices = [i for i, count in frames.items() if count]
        about = About(
            task=RECONSTRUCTION,
            kind="reconstruction",
            fingerprint=store.fingerprint,
            clips=[store.names[i] for i in indices],
            frames=[frames[i] for i in indices],
            given=[(0, 0)] * len(indices),
            seeds=[self.seed],
        )
        saved = PredictionSet.create(context.folder / PREDICTIONS / RECONSTRUCTION, about)
        motions = codec.reconstruct([store.features(i, 0, frames[i]) for i in indices])
        empty = [""] * len(indices)
        saved.write(0, Outputs([-1] * len(indices), empty, empty, motions))
        return {"clips": float(len(indices))}
