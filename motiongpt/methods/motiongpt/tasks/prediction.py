"""Prediction: the first part of a motion in, its continuation out."""

from motiongpt.methods.motiongpt.tasks.base import Task
from motiongpt.methods.motiongpt.tasks.clip_tokens import ClipTokens, Codes
from motiongpt.methods.motiongpt.tasks.query import Query


class Prediction(Task):
    """Continues a motion of which the first frames are given (the paper: the first 20 %)."""

    name = "prediction"
    output = "motion"
    classes = ("predict",)
    evaluation_kind = "motion_prediction"

    def usable(self, clip: ClipTokens) -> bool:
        """Whether something is left to predict."""
        given = self.placeholders.start(clip) if clip.tokens else clip.codes
        return super().usable(clip) and len(given) < clip.tokens

    def output_tokens(self, query: Query) -> int | None:
        """Tokens of the whole motion less those given; at least one."""
        return None if query.tokens is None else max(1, query.tokens - len(query.given_start))

    def compose(self, output: Codes, query: Query) -> Codes:
        """Given codes, then the continuation, so that it lies where it belongs in time."""
        return self.reader.continued(query.given_start, output, query.tokens)

    def _kinds_for(self, query: Query, with_length: bool) -> tuple[str, ...]:
        return ("caption_prediction",) if query.text else (self.evaluation_kind,)
