"""Builds a motion store from a motion source.

Shape letters: B batch, T frames, J joints, F features.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from motiongpt.data.checked_clips import checked_clips
from motiongpt.data.checks import MIN_FRAMES, sample
from motiongpt.data.clip import BadClip, MotionSource, warnings_of
from motiongpt.data.counts import as_counted, counted, shortfall
from motiongpt.data.replace_folder import replacing_folder
from motiongpt.data.statistics import mean_and_std, published_statistics, weighted_std
from motiongpt.data.store import MotionStore
from motiongpt.data.store_writer import StoreWriter
from motiongpt.errors import UserError
from motiongpt.printable import printable
from motiongpt.progress import progress_bar

_log = logging.getLogger(__name__)


def build_store(
    source: MotionSource,
    folder: Path | str,
    progress: bool = True,
    *,
    name: str | None = None,
    normalisation: str = "humanml3d",
    min_frames: int = MIN_FRAMES,
    released_turns: bool = False,
    batch: int = 64,
) -> MotionStore:
    """Write every good clip of `source` to a store in `folder`, all of it or nothing.

    Bad clips are left out and named in store.json. The same source gives the same fingerprint
    wherever and whenever it is built.

    Args:
        progress: show a bar, and print the counts at the end.
        name: of the data set; the folder's name if not given.
        normalisation: "humanml3d" (plain) or "motiongpt" (root and contacts emphasised).
        min_frames: fewest feature rows of a clip.
        released_turns: of features that are made here, see `motiongpt.motion.features`.
        batch: clips whose features are computed together.

    Raises:
        UserError: the source's files are missing, no usable training clip, published statistics
            that can't be used, or an unknown normalisation.
    """
    folder = Path(folder)
    skeleton = source.skeleton
    weighted_std(np.ones(skeleton.n_features), skeleton, normalisation)
    published = published_statistics(source)
    yielded: Counter[str] = Counter()
    with replacing_folder(folder) as building:
        with StoreWriter(building, skeleton) as writer:
            bar = progress_bar(source.clips(), total=len(source), unit="clip", disable=not progress)
            for item in checked_clips(
                counted(bar, yielded),
                source,
                min_frames=min_frames,
                released_turns=released_turns,
                batch=batch,
            ):
                if isinstance(item, BadClip):
                    writer.reject(item)
                else:
                    writer.add(*item)
        writer.drop_bad_names()
        for warning in warnings_of(source):
            _log.warning(printable(warning))
        if not writer.count("train"):
            raise UserError(
                f"no usable clip in the train split of {name or folder.name}"
                f"{_reasons(writer.rejected)}; `motiongpt data verify` names every bad file"
            )
        mean, std = published or mean_and_std(lambda: writer.features("train"), skeleton)
        found = as_counted(source, yielded)
        part = shortfall(found, source.expected_counts, writer.clips, writer.rejected)
        header = {
            "name": name or folder.name,
            "fps": float(source.fps),
            "normalisation": normalisation,
            "description": _describe(source),
            "shortfall": part,
            "action_words": {label: list(words) for label, words in source.action_words.items()},
        }
        writer.finish(header, mean, weighted_std(std, skeleton, normalisation))
    store = MotionStore.open(folder)
    if progress:
        counts = ", ".join(f"{count:,} {split}" for split, count in store.counts().items())
        rejected = f"{len(store.rejected)} rejected{_reasons(store.rejected)}"
        silent = len(store.without_captions(np.arange(len(store))))
        said = f"; {silent:,} without caption" if silent else ""
        print(f"{store.name}: {counts}; {rejected}{said}", flush=True)
    return store


def _describe(source: MotionSource) -> str:
    return str(getattr(source, "description", type(source).__name__))


def _reasons(bad: Sequence[BadClip]) -> str:
    return f": {sample(bad)}" if bad else ""
