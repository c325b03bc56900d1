"""What a back end is: a package's scores of sentences that a protocol has prepared."""

from collections.abc import Sequence
from typing import Protocol

from evaluation.captions.clip_statistics import ClipStatistics

METRICS = ("bleu1", "bleu4", "rougeL", "cider")


class CaptionBackEnd(Protocol):
    """Scores sentences; built by Hydra from `back_end` of one yaml of `conf/captions`.

    Attributes:
        name: as in `captions=`.
        package: the installed package whose version belongs to a result.
        metrics: what `score` returns, names out of `NUMBERS` of `evaluation.metrics.captions`.
    """

    name: str
    package: str
    metrics: Sequence[str]

    def score(
        self, references: Sequence[Sequence[str]], predictions: Sequence[str]
    ) -> dict[str, float]:
        """Metric -> score over all clips together, names as in `metrics`.

        Args:
            references: of each clip, the same number for all.
            predictions: one sentence a clip, which may be empty.

        Raises:
            UserError: the package lacks something that it can't fetch.
        """
        ...

    def clip_statistics(
        self,
        references: Sequence[Sequence[str]],
        predictions: Sequence[str],
        metrics: Sequence[str],
    ) -> dict[str, ClipStatistics]:
        """Metric -> what each clip adds to its score, for some of `metrics`.

        Args:
            references, predictions: as for `score`.

        Raises:
            UserError: as `score`.
        """
        ...
