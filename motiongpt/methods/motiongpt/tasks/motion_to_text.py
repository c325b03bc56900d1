"""Motion to text: captions, and the prompts about length whose output is words."""

from motiongpt.methods.motiongpt.tasks.base import Task
from motiongpt.methods.motiongpt.tasks.query import Query


class MotionToText(Task):
    """Describes a motion in a sentence.

    It also trains on counting frames and seconds, on the length that fits a caption, on captions
    that fit a length, and on captions of any motion.
    """

    name = "motion_to_text"
    output = "text"
    classes = ("m2t", "m2l", "t2t", "n2t")
    evaluation_kind = "caption"

    def _kinds_for(self, query: Query, with_length: bool) -> tuple[str, ...]:
        named = with_length and query.frames is not None
        return ("framelen", self.evaluation_kind) if named else (self.evaluation_kind,)
