"""Text to motion: a sentence, a length, both or neither in; a motion out."""

from motiongpt.methods.motiongpt.tasks.base import Task
from motiongpt.methods.motiongpt.tasks.query import Query


class TextToMotion(Task):
    """Generates the motion that a caption describes."""

    name = "text_to_motion"
    output = "motion"
    classes = ("t2m", "l2m", "n2m")
    evaluation_kind = "caption"

    def _kinds_for(self, query: Query, with_length: bool) -> tuple[str, ...]:
        if not query.text:
            return ("random",) if query.frames is None else ("framelen",)
        named = with_length and query.frames is not None
        return ("caption_framelen", self.evaluation_kind) if named else (self.evaluation_kind,)
