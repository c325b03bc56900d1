"""TMR as its authors published it, from local files."""

from collections.abc import Callable, Iterable

import torch

from evaluation.evaluators.base import EvaluatorSource
from evaluation.evaluators.tmr_evaluator import TMREvaluator
from evaluation.evaluators.tmr_weights import (
    HELP,
    HELP_STATISTICS,
    find_statistics,
    find_weights,
    load_networks,
    load_statistics,
)
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.preflight import Outlook, preflight
from motiongpt.text_encoders.base import TextEncoderFactory


class TMRPublished(EvaluatorSource):
    """Reads published weights, or those of a training of TMR's own code; no code in them is run.

    Args:
        weights: folder with weights, see `find_weights`.
        statistics: folder with mean and std, see `find_statistics`.
        text_encoder: node of conf/text_encoder: what the weights were trained to read,
            distilbert-base-uncased's last states.
        heads: of the attention, which leave no trace in the weights; 4 in TMR.
        max_frames: of the longest clip; longer ones are cut.
    """

    def __init__(
        self,
        weights: str | None,
        statistics: str | None,
        text_encoder: TextEncoderFactory,
        heads: int,
        max_frames: int,
    ) -> None:
        self.weights, self.statistics, self.text_encoder = weights, statistics, text_encoder
        self.heads, self.max_frames = heads, max_frames

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """The published files, and the text encoder."""
        weights, statistics = self._named()
        find_weights(weights)
        find_statistics(statistics)
        return tuple(preflight(self.text_encoder, outlook))

    def make(
        self,
        store: MotionStore,
        seed: int,
        log: Callable[[str], None],
        device: str | torch.device = "cpu",
    ) -> TMREvaluator:
        """Read and check the files; the store gives the width of features.

        Raises:
            UserError: a folder is not named, or something in it is missing, damaged or of other
                shapes than expected.
        """
        weights, statistics = self._named()
        encoder = self.text_encoder((), seed, log).to(device)
        networks = load_networks(
            weights, self.heads, self.max_frames, store.n_features, encoder.width
        ).to(device)
        mean, std = load_statistics(statistics, store.n_features)
        log("  evaluator: published weights of TMR read")
        about = {
            "name": "tmr_published",
            "words": type(encoder).__name__,
            "tags": "none",
            "sentence_tags": "none",
        }
        return TMREvaluator(networks, mean, std, encoder, about)

    def _named(self) -> tuple[str, str]:
        """Both folders.

        Raises:
            UserError: one is not named; says both ways if both are not.
        """
        options = {
            f"evaluator.weights=FOLDER, the published weights: {HELP}": self.weights,
            f"evaluator.statistics=FOLDER, {HELP_STATISTICS}": self.statistics,
        }
        absent = [said for said, value in options.items() if value is None]
        if self.weights is None or self.statistics is None:
            raise UserError(f"set {'; and '.join(absent)}")
        return self.weights, self.statistics
