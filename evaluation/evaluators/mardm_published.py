"""MARDM's evaluator (Meng et al., CVPR 2025): T2M's networks on features without redundancy.

Its files have T2M's layout and names; it sees the root and the positions of the joints, 67 of
HumanML3D's 263 numbers, and neither rotations, velocities nor contacts. Its second evaluator, of
CLIP's words, is another network and not read here.
Shape letters: T frames, F features.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
from torch import Tensor

from evaluation.evaluators.sentence_tags import Tags
from evaluation.evaluators.t2m_evaluator import T2MEvaluator
from evaluation.evaluators.t2m_networks import N_CONTACTS
from evaluation.evaluators.t2m_published import T2MPublished
from evaluation.evaluators.t2m_weights import check_folder, read_vector
from motiongpt.data.statistics import channel_groups
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError

MEAN, STD = "eval_mean.npy", "eval_std.npy"
HELP = f"utils/eval_mean_std/t2m of neu-vi/MARDM, with {MEAN} and {STD}"


class MARDMEvaluator(T2MEvaluator):
    """T2M's evaluator on root and positions; it takes whole features and cuts them itself.

    T2M's first convolution leaves the contacts out, the last numbers of a frame. What is cut here
    gets as many zeros in their place, with a mean of 0 and a std of 1.
    """

    def _normalised(self, index: int, clip: np.ndarray) -> Tensor:
        seen = len(self.mean) - N_CONTACTS
        if clip.ndim == 2 and clip.shape[1] > len(self.mean):
            clip = np.pad(clip[:, :seen], ((0, 0), (0, N_CONTACTS)))
        return super()._normalised(index, clip)


class MARDMPublished(T2MPublished):
    """Reads the published weights, statistics and GloVe vectors; no code in them is run.

    Args:
        weights: folder with `text_mot_match/model/finest.tar`.
        statistics: folder with the mean and std of the features that it sees.
        word_vectors, sizes, max_frames, batch_size, tags: as of `T2MPublished`.
    """

    name: ClassVar[str] = "mardm_published"
    kind: ClassVar[type[T2MEvaluator]] = MARDMEvaluator

    def __init__(
        self,
        weights: str | None,
        statistics: str | None,
        word_vectors: str | None,
        sizes: Mapping[str, int],
        max_frames: int,
        batch_size: int,
        tags: Tags,
    ) -> None:
        super().__init__(weights, word_vectors, sizes, max_frames, batch_size, tags)
        self.statistics = statistics

    def _seen(self, store: MotionStore) -> int:
        positions = channel_groups(store.skeleton)[3]
        return positions.stop + N_CONTACTS

    def _find_statistics(self) -> Path:
        if self.statistics is None:
            raise UserError(f"set evaluator.statistics=FOLDER, {HELP}")
        check_folder("evaluator.statistics", self.statistics)
        if not Path(self.statistics, MEAN).is_file():
            raise UserError(f"evaluator.statistics={self.statistics}: no {MEAN} here; it is {HELP}")
        return Path(self.statistics)

    def _statistics(self, n_features: int) -> tuple[np.ndarray, np.ndarray]:
        folder, seen = self._find_statistics(), n_features - N_CONTACTS
        mean, std = (read_vector(folder / name, seen) for name in (MEAN, STD))
        if not (std > 0).all():
            raise UserError(f"{folder / STD}: feature {int(std.argmin())} is not > 0")
        ends = np.zeros(N_CONTACTS, np.float32)
        return np.concatenate([mean, ends]), np.concatenate([std, ends + 1])
