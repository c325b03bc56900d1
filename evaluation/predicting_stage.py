"""What stages that leave predictions share: they know ahead what they will leave."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evaluation.requests.kinds import Kind
from evaluation.requests.predictions import About
from motiongpt.data.store import MotionStore
from motiongpt.training.stage import Stage


class PredictingStage(Stage):
    """Leaves `predictions/`; once these are scored nothing else needs them."""

    disposable: ClassVar[bool] = True
    judges: ClassVar[bool] = True

    @property
    @abstractmethod
    def kinds(self) -> frozenset[Kind]:
        """Of its outputs, whatever the data."""

    @abstractmethod
    def planned(self, store: MotionStore) -> dict[str, About]:
        """Name -> what each set of predictions will be of.

        Raises:
            UserError: no clip to ask about.
        """

    def most_frames(self, about: About) -> Mapping[str, int]:
        """Clip -> frames that an output for it has at most."""
        return dict(zip(about.clips, about.frames, strict=True))

    def disk_bytes(self, store: MotionStore) -> int:
        """Of float32 features; words and descriptions are small beside them."""
        row = np.dtype(np.float32).itemsize * store.n_features
        return row * sum(
            len(about.seeds) * about.samples * sum(self.most_frames(about).values())
            for about in self.planned(store).values()
        )
