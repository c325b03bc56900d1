"""The COCO caption scores in pure Python: no Java, because the protocol prepares the sentences."""

from collections.abc import Sequence

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge

from evaluation.captions.base import METRICS


class CocoBackEnd:
    """BLEU-1 and -4, ROUGE-L (F with beta 1.2) and CIDEr (times 10) of pycocoevalcap.

    Words are what spaces separate. BLEU is of the corpus, the others are means over clips.
    """

    name, package, metrics = "coco", "pycocoevalcap", METRICS

    def score(
        self, references: Sequence[Sequence[str]], predictions: Sequence[str]
    ) -> dict[str, float]:
        """All four scores."""
        wanted = {clip: list(captions) for clip, captions in enumerate(references)}
        found = {clip: [sentence] for clip, sentence in enumerate(predictions)}
        bleu, _ = Bleu(4).compute_score(wanted, found, verbose=0)
        return {
            "bleu1": float(bleu[0]),
            "bleu4": float(bleu[3]),
            "rougeL": float(Rouge().compute_score(wanted, found)[0]),
            "cider": float(Cider().compute_score(wanted, found)[0]),
        }
