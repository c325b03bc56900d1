"""In-between: both ends of a motion in, the whole motion out."""

import numpy as np

from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.tasks.base import Task
from motiongpt.methods.motiongpt.tasks.clip_tokens import ClipTokens, Codes
from motiongpt.methods.motiongpt.tasks.query import Query


class Inbetween(Task):
    """Fills the masked middle of a motion (the paper: the middle half)."""

    name = "inbetween"
    output = "motion"
    classes = ("inbetween",)
    evaluation_kind = "motion_inbetween"

    def usable(self, clip: ClipTokens) -> bool:
        """Whether at least one token is masked."""
        if not clip.tokens:
            return False
        head, tail = self.placeholders.ends(clip)
        return super().usable(clip) and len(head) + len(tail) < clip.tokens

    def compose(self, reply: Codes, asked: ClipTokens | Query) -> Codes:
        """The reply's middle between the given ends, exactly as long as asked for."""
        query = self.query(asked)
        return self.replies.completed(self.given(query), reply, self._end(query), query.tokens)

    def query(self, asked: ClipTokens | Query, caption: str | None = None) -> Query:
        """What may be known: both ends and the length.

        Raises:
            UserError: a query whose length leaves nothing between its ends.
        """
        query = super().query(asked, caption)
        given = len(query.start if query.start is not None else ()) + len(self._end(query))
        if query.tokens is not None and query.tokens <= given:
            raise UserError(
                f"in-between: {query.tokens} tokens with {given} of them given leave nothing to "
                "fill; ask for more frames or give fewer"
            )
        return query

    def _query_of(self, clip: ClipTokens, caption: str | None) -> Query:
        head, tail = self.placeholders.ends(clip)
        return Query(
            clip.fps,
            clip.frames_per_token,
            text=caption or "",
            frames=clip.frames,
            start=head,
            end=tail,
        )

    def _kinds_for(self, query: Query, with_length: bool) -> tuple[str, ...]:
        return ("caption_inbetween",) if query.text else (self.evaluation_kind,)

    def _end(self, query: Query) -> Codes:
        return np.zeros(0, np.int64) if query.end is None else query.end
