"""The COCO caption scores in pure Python: no Java, because the protocol prepares the sentences."""

from collections.abc import Sequence

import numpy as np
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.bleu.bleu_scorer import cook_refs, cook_test
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge

from evaluation.captions.base import METRICS
from evaluation.captions.clip_statistics import ClipStatistics, bleu_statistics, mean_statistics

ORDERS = {"bleu1": 1, "bleu4": 4}
TINY, SMALL = 1e-15, 1e-9  # what the package adds to the counts of BLEU's fractions


class CocoBackEnd:
    """BLEU-1 and -4, ROUGE-L (F with beta 1.2) and CIDEr (times 10) of pycocoevalcap.

    Words are what spaces separate. BLEU is of the corpus, the others are means over clips.
    """

    name, package, metrics = "coco", "pycocoevalcap", METRICS

    def score(
        self, references: Sequence[Sequence[str]], predictions: Sequence[str]
    ) -> dict[str, float]:
        """All four scores."""
        wanted, found = _by_clip(references, predictions)
        bleu, _ = Bleu(4).compute_score(wanted, found, verbose=0)
        return {
            "bleu1": float(bleu[0]),
            "bleu4": float(bleu[3]),
            "rougeL": float(Rouge().compute_score(wanted, found)[0]),
            "cider": float(Cider().compute_score(wanted, found)[0]),
        }

    def clip_statistics(
        self,
        references: Sequence[Sequence[str]],
        predictions: Sequence[str],
        metrics: Sequence[str],
    ) -> dict[str, ClipStatistics]:
        """Counts of n-grams for BLEU, the package's score of each clip for the others.

        CIDEr's weights of words are those of all references: a drawing of clips keeps them.
        """
        wanted, found = _by_clip(references, predictions)
        result = {}
        if orders := {metric: ORDERS[metric] for metric in metrics if metric in ORDERS}:
            counts = np.array(
                [_counts(wrote, own) for wrote, own in zip(predictions, references, strict=True)]
            )
            result = {
                metric: bleu_statistics(counts, order, TINY, SMALL)
                for metric, order in orders.items()
            }
        for metric, scorer in (("rougeL", Rouge), ("cider", Cider)):
            if metric in metrics:
                result[metric] = mean_statistics(scorer().compute_score(wanted, found)[1])
        return result


def _by_clip(
    references: Sequence[Sequence[str]], predictions: Sequence[str]
) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    wanted = {clip: list(captions) for clip, captions in enumerate(references)}
    found = {clip: [sentence] for clip, sentence in enumerate(predictions)}
    return wanted, found


def _counts(sentence: str, references: Sequence[str]) -> list[float]:
    """One row of `bleu_statistics`; of the references' lengths the closest one counts."""
    cooked = cook_test(sentence, cook_refs(list(references)), eff="closest")
    return [*cooked["correct"], *cooked["guess"], cooked["reflen"], cooked["testlen"]]
