"""In-between: both ends of a motion in, the whole motion out."""

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

    def prompt(self, query: Query, wording: str | None = None, with_length: bool = False) -> str:
        """See `Task.prompt`.

        Raises:
            UserError: the query's length leaves nothing between its ends.
        """
        given = len(query.given_start) + len(query.given_end)
        if query.tokens is not None and query.tokens <= given:
            raise UserError(
                f"in-between: {query.tokens} tokens with {given} of them given leave nothing to "
                "fill; ask for more frames or give fewer"
            )
        return super().prompt(query, wording, with_length)

    def compose(self, output: Codes, query: Query) -> Codes:
        """The output's middle between the given ends, exactly as long as asked for."""
        return self.reader.completed(query.given_start, output, query.given_end, query.tokens)

    def _kinds_for(self, query: Query, with_length: bool) -> tuple[str, ...]:
        return ("caption_inbetween",) if query.text else (self.evaluation_kind,)
