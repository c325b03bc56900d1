"""Caption scores of sentences that describe a motion, by a back end of `conf/captions`."""

from collections.abc import Iterable

import torch
from torch import Tensor

from evaluation.captions.base import METRICS, CaptionBackEnd
from evaluation.captions.protocol import caption_protocol
from evaluation.metrics.base import Batch, Kind, Metric
from evaluation.metrics.numbers import Judge, Number
from evaluation.metrics.positions import checked_positions, counted
from evaluation.metrics.sentences import sentences_to_tensors, tensors_to_sentences
from motiongpt.preflight import Outlook, preflight

NUMBERS = {
    **{name: Number(better="higher") for name in METRICS},
    **{name: Number("%", "higher") for name in ("bert_raw", "bert_rescaled")},
}
"""What the numbers of all back ends are."""


class CaptionScores(Metric):
    """Compares each sentence with the captions of its clip; clips without captions are left out.

    Scores are of the corpus, so all sentences are gathered and scored together.

    Args:
        back_end: computes the scores; its `metrics` are the numbers.
        references: how sentences are prepared, "raw" or "normalised"; see `captions.protocol`.

    Raises:
        UserError: no such way.
    """

    kinds: frozenset[Kind] = frozenset({"text"})

    def __init__(self, back_end: CaptionBackEnd, references: str = "raw") -> None:
        super().__init__("content", "lengths", "positions")
        self.back_end, self.protocol = back_end, caption_protocol(references)
        self.numbers = {name: NUMBERS[name] for name in back_end.metrics}

    @property
    def judge(self) -> Judge:
        """The captions: their style and how they are prepared move every number."""
        return "captions"

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """What the back end needs."""
        return preflight(self.back_end, outlook)

    def update(self, batch: Batch) -> None:
        """Take in the sentences of some clips and their captions."""
        positions = checked_positions(batch.positions, len(batch.cases), self)
        judged = [bool(case.captions) for case in batch.cases]
        rows = [
            [
                self.protocol.sentence(case.text),
                *self.protocol.reference_sentences(case.captions),
            ]
            for case in batch.cases
            if case.captions
        ]
        content, lengths = sentences_to_tensors(rows, 1 + self.protocol.references)
        self.extend_list("content", content)
        self.extend_list("lengths", lengths)
        self.extend_list("positions", positions[torch.tensor(judged, dtype=torch.bool)])

    def compute(self) -> dict[str, Tensor]:
        """Scores over all clips together; none where no clip has a caption.

        Raises:
            UserError: the back end lacks something that it can't fetch.
        """
        content, lengths, positions = (
            self.joined_list(name) for name in ("content", "lengths", "positions")
        )
        if content is None or lengths is None or positions is None or not len(lengths):
            return {}
        rows = tensors_to_sentences(content, lengths)
        order = counted(positions, self).tolist()
        scores = self.back_end.score(
            [rows[row][1:] for row in order], [rows[row][0] for row in order]
        )
        return {
            name: torch.tensor(score, dtype=torch.float64)
            for name, score in scores.items()
            if name in self.numbers
        }
