"""Whether a motion does what its sentence says, measured on its joints; no network is asked.

For data whose captions are true by construction: the synthetic motion of this project, where a
sentence is made of the same parameters as the movement. Which action, on which side, how often, how
far, by which angle and in which order are each a percentage of what captions say; what a caption
does not say is not counted. What is measured and how: `evaluation/metrics/instructions`.
"""

from collections.abc import Iterable, Mapping

from evaluation.case import Case, Scorers
from evaluation.metrics.base import Batch, Kind
from evaluation.metrics.clip_metric import ClipMetric, Shares
from evaluation.metrics.instructions.claims import read, unreadable
from evaluation.metrics.instructions.following import ASPECTS, follows
from evaluation.metrics.instructions.recognition import MEASURED, events_of
from evaluation.metrics.numbers import Number
from motiongpt.preflight import Outlook

PERCENT = 100.0


class InstructionFollowing(ClipMetric):
    """Per cent of captions, or of what captions say, that motions do.

    `instruction_action`: the motion shows the actions that its caption names and no other.
    `instruction_side`, `_count`, `_distance` (within 0.35 m or a tenth), `_angle` (within 20
    degrees or a tenth) and `_order` are of the captions that say it. `instruction_all`: everything
    that the caption says. A motion without frames does nothing.
    """

    numbers: Mapping[str, Number] = {
        f"instruction_{aspect}": Number("%", "higher") for aspect in (*ASPECTS, "all")
    }
    kinds: frozenset[Kind] = frozenset({"motion"})

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """Whether the captions can be read, where the data is there."""
        if outlook.store is None:
            return
        if why := unreadable(outlook.store.action_words, MEASURED):
            yield f"{', '.join(self.numbers)} will be left out: {why}"

    def update(self, batch: Batch) -> None:
        """Take in some clips.

        Raises:
            UserError: no scorers, or captions of data that can't be read.
        """
        words = {} if batch.scorers is None else batch.scorers.action_words
        if batch.scorers is not None and (why := unreadable(words, MEASURED)):
            raise self.mistake(why)
        super().update(batch)

    def of_clip(self, case: Case, scorers: Scorers) -> Shares:
        """Per cent and number of claims, by aspect."""
        claims = read(case.caption, scorers.action_words)
        if not claims:
            return {}
        verdicts = follows(claims, events_of(case.joints, scorers.fps), case.joints)
        shares = {
            f"instruction_{aspect}": (PERCENT * sum(found), len(found))
            for aspect, found in verdicts.items()
        }
        whole = all(right for found in verdicts.values() for right in found)
        return {**shares, "instruction_all": (PERCENT * whole, 1)}
