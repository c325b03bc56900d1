"""Which tokens may be written next: motions of motion tokens only, texts without any."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import torch
from torch import Tensor
from transformers import LogitsProcessor

from motiongpt.errors import UserError

KINDS = ("motion", "text")


class State(IntEnum):
    """What a row may write next."""

    START = 0
    CODE = 1
    CODE_OR_END = 2
    END = 3
    TEXT = 4
    END_OF_TEXT = 5


@dataclass(frozen=True)
class TokenIds:
    """Ids that decide what may be written.

    Attributes:
        vocabulary_size: rows of the output embedding.
        codes: ids of the K codes.
        start: id of the mark before a motion.
        end: id of the mark after a motion.
        end_of_text: id of the end-of-sequence token.
        never_in_text: special and motion tokens, the end of text excepted.
    """

    vocabulary_size: int
    codes: tuple[int, ...]
    start: int
    end: int
    end_of_text: int
    never_in_text: tuple[int, ...]

    def alphabet(self, kind: str) -> "Alphabet":
        """What an answer of `kind` is made of."""
        if kind == "motion":
            return Alphabet(torch.tensor([*self.codes, self.end]), self.start, self.end)
        never = torch.tensor([*self.never_in_text, self.end_of_text], dtype=torch.long)
        words = torch.ones(self.vocabulary_size, dtype=torch.bool)
        words[never] = False
        return Alphabet(torch.cat([words.nonzero()[:, 0], torch.tensor([self.end_of_text])]))

    def allowed(self) -> Tensor:
        """(states, vocabulary_size) bool: what each `State` may write."""
        allowed = torch.zeros(len(State), self.vocabulary_size, dtype=torch.bool)
        codes = torch.tensor(self.codes)
        allowed[State.START, self.start] = True
        allowed[State.CODE, codes] = True
        allowed[State.CODE_OR_END, codes] = True
        allowed[State.CODE_OR_END, self.end] = True
        allowed[State.END, self.end] = True
        allowed[State.TEXT] = True
        allowed[State.TEXT, torch.tensor(self.never_in_text, dtype=torch.long)] = False
        allowed[State.END_OF_TEXT, self.end_of_text] = True
        return allowed


@dataclass(frozen=True)
class Alphabet:
    """What an answer of one kind is made of.

    Attributes:
        token_ids: (A,) what may be written; the last of them ends the answer.
        opening: token that every answer begins with.
        closing: token that is part of the answer's end; a text's end is not shown.
    """

    token_ids: Tensor
    opening: int | None = None
    closing: int | None = None

    def spell(self, places: Sequence[int]) -> list[int]:
        """Token ids of an answer, whole, from the places (L,) of its tokens among `token_ids`."""
        first = [] if self.opening is None else [self.opening]
        last = [] if self.closing is None else [self.closing]
        return [*first, *self.token_ids[list(places)].tolist(), *last]


@dataclass(frozen=True)
class Rows:
    """What each of B rows writes, and how much of it.

    Attributes:
        is_motion: (B,) bool.
        fewest: (B,) codes a motion has at least, equal to `most` where a length is asked for; 0 of
            a text.
        most: (B,) codes of a motion, or tokens of a text, at most.
    """

    is_motion: Tensor
    fewest: Tensor
    most: Tensor

    @classmethod
    def of(
        cls,
        kinds: Sequence[str],
        token_counts: Sequence[int | None],
        max_motion_tokens: int,
        max_text_tokens: int,
    ) -> "Rows":
        """Rows of the given kinds; a count of None leaves a motion's length free (1 or more codes).

        Raises:
            UserError: unknown kind, a length below 1, or a length asked of a text.
        """
        fewest, most = [], []
        for kind, count in zip(kinds, token_counts, strict=True):
            if kind not in KINDS:
                raise UserError(f"kind={kind} is unknown: choose one of {', '.join(KINDS)}")
            if count is not None and (kind != "motion" or count < 1):
                raise UserError(
                    f"a {kind} of {count} motion tokens can't be written: ask at least 1, of a "
                    "motion only"
                )
            free = max_motion_tokens if kind == "motion" else max_text_tokens
            fewest.append((1 if kind == "motion" else 0) if count is None else count)
            most.append(free if count is None else count)
        is_motion = torch.tensor([kind == "motion" for kind in kinds])
        return cls(is_motion, torch.tensor(fewest), torch.tensor(most))

    def part(self, places: Sequence[int]) -> "Rows":
        """The rows at `places`."""
        chosen = list(places)
        return Rows(self.is_motion[chosen], self.fewest[chosen], self.most[chosen])

    def longest(self) -> int:
        """Tokens the longest row may write, marks and end of text included."""
        return int((self.most + torch.where(self.is_motion, 2, 1)).max())

    def states(self, written: int) -> Tensor:
        """(B,) int64 `State` of every row after `written` tokens."""
        codes = written - 1
        motion = torch.full_like(self.most, State.CODE_OR_END)
        motion[codes < self.fewest] = State.CODE
        motion[codes >= self.most] = State.END
        if written == 0:
            motion.fill_(State.START)
        text = torch.where(self.most <= written, int(State.END_OF_TEXT), int(State.TEXT))
        return torch.where(self.is_motion, motion, text)


def alike(prompts: Sequence[str], rows: Rows, size: int) -> Iterator[list[int]]:
    """Places of at most `size` rows of one kind and of similar lengths, until all were named."""
    for wanted in (True, False):
        kind = torch.nonzero(rows.is_motion == wanted)[:, 0].tolist()
        order = sorted(kind, key=lambda place: (int(rows.most[place]), len(prompts[place])))
        for first in range(0, len(order), size):
            yield order[first : first + size]


class WritingConstraint(LogitsProcessor):
    """Leaves each row only the tokens its state allows.

    A row is finished by the end mark (motion) or the end of text; what is offered to it afterwards
    is replaced by padding, so the state needs no memory beyond the number of tokens written.
    """

    def __init__(self, ids: TokenIds, rows: Rows, prefix_length: int, num_beams: int = 1) -> None:
        """`prefix_length` is the number of tokens in the sequences before the first is written."""
        self.allowed = ids.allowed()
        self.rows = rows
        self.prefix_length = prefix_length
        self.num_beams = num_beams

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Scores (B * beams, V) with minus infinity at what may not follow `input_ids`."""
        if self.allowed.device != scores.device:
            self.allowed = self.allowed.to(scores.device)
        states = self.rows.states(input_ids.shape[1] - self.prefix_length)
        states = states.repeat_interleave(self.num_beams).to(scores.device)
        return scores.masked_fill(~self.allowed[states], float("-inf"))
