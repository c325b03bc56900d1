"""The stage that encodes and decodes real clips: what a codec keeps of them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from evaluation.predicting_stage import PredictingStage
from evaluation.requests.building import chosen_clips
from evaluation.requests.kinds import Kind
from evaluation.requests.predictions import (
    PREDICTIONS,
    About,
    Outputs,
    PredictionSet,
    Stored,
)
from motiongpt.codecs.loading import load_codec
from motiongpt.data.store import MotionStore
from motiongpt.motion.sequence import MotionSequence
from motiongpt.preflight import Outlook
from motiongpt.training.stage import MODEL, StageContext

RECONSTRUCTION = "reconstruction"
PREVIEW = "preview.webp"


class ReconstructStage(PredictingStage):
    """Leaves `predictions/reconstruction/`; the same each time, so one replication.

    Every clip is asked for whole, so that references are the same for every codec.

    Args:
        codec: stage that leaves the codec.
        split, clips: which clips, and how many of them; None for all.
        multiple: lengths are cut to a multiple of so many frames, as the protocol has it.
        seed: recorded; nothing is drawn.
        stored: type of the numbers on disk.
        preview: whether a clip and its reconstruction are drawn side by side, for whoever waits.
    """

    def __init__(
        self,
        codec: str,
        split: str,
        clips: int | None,
        multiple: int,
        seed: int,
        stored: Stored = "float32",
        preview: bool = False,
    ) -> None:
        self.codec, self.split, self.clips, self.preview = codec, split, clips, preview
        self.multiple, self.seed, self.stored = multiple, seed, stored

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Encode, decode, save; reports how many clips."""
        store = context.store
        codec = load_codec(context.parents[self.codec] / MODEL, context.device)
        frames = self._frames(store)
        about = self.planned(store)[RECONSTRUCTION]
        saved = PredictionSet.create(context.folder / PREDICTIONS / RECONSTRUCTION, about)
        motions = codec.reconstruct([store.features(i, 0, count) for i, count in frames.items()])
        empty = [""] * len(frames)
        saved.write(0, Outputs([-1] * len(frames), empty, empty, motions))
        if self.preview:
            _draw(store, next(iter(frames)), motions[0], context.folder / PREVIEW)
            where = Path("runs", context.stage, context.signature, PREVIEW)
            context.log(f"  a clip, and what its codes keep of it: {where}")
        return {"clips": float(len(frames))}

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """Clips to reconstruct."""
        if outlook.store is not None:
            self._frames(outlook.store)
        return ()

    @property
    def kinds(self) -> frozenset[Kind]:
        """See `PredictingStage.kinds`."""
        return frozenset({"reconstruction"})

    def planned(self, store: MotionStore) -> dict[str, About]:
        """See `PredictingStage.planned`."""
        frames = self._frames(store)
        about = About(
            task=RECONSTRUCTION,
            kind="reconstruction",
            fingerprint=store.fingerprint,
            clips=[store.names[index] for index in frames],
            frames=list(frames.values()),
            given=[(0, 0)] * len(frames),
            seeds=[self.seed],
            stored=self.stored,
        )
        return {RECONSTRUCTION: about}

    def _frames(self, store: MotionStore) -> dict[int, int]:
        """Index of each clip -> frames of it that are asked for."""
        chosen = chosen_clips(store, self.split, self.clips)
        lengths = {i: int(store.lengths[i]) // self.multiple * self.multiple for i in chosen}
        return {index: count for index, count in lengths.items() if count}


def _draw(store: MotionStore, index: int, features: np.ndarray, path: Path) -> None:
    """The clip on the left, `features` (T, F) on the right, moving."""
    from motiongpt.export.formats.pictures import Animation  # these load what draws
    from motiongpt.render.shown import Shown

    caption = next((one.text for one in store.captions(index)), store.names[index])
    real = store.features(index, 0, len(features))
    shown = [
        Shown(MotionSequence.from_features(one, store.fps, [caption], store.skeleton), name, words)
        for one, name, words in ((real, "real", None), (features, "its codes, decoded", ""))
    ]
    Animation().write_together(shown, path)
