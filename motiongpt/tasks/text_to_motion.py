"""Text to motion: a sentence, a length, both or neither in; a motion out."""

from motiongpt.tasks.base import ClipTokens, Query, Task


class TextToMotion(Task):
    """Writes the motion that a caption describes."""

    name = "text_to_motion"
    output = "motion"
    classes = ("t2m", "l2m", "n2m")
    evaluation_kind = "caption"
    metrics = (
        "r_precision",
        "fid",
        "mm_dist",
        "diversity",
        "multimodality",
        "action_accuracy",
    )

    def _query_of(self, clip: ClipTokens, caption: str | None) -> Query:
        text = next(iter(clip.captions), "") if caption is None else caption
        return Query(clip.fps, clip.frames_per_token, text=text, frames=clip.frames)

    def _kind_for(self, query: Query, with_length: bool) -> str:
        named = query.frames is not None and (with_length or not query.text)
        if query.text:
            return "caption_framelen" if named else self.evaluation_kind
        return "framelen" if named else "random"
