"""Which tokens may follow: motions of motion tokens only, texts without any."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import torch
from torch import Tensor
from transformers import LogitsProcessor

from motiongpt.backbones.token_ids import TokenIds
from motiongpt.errors import UserError

KINDS = ("motion", "text")


class State(IntEnum):
    """What may follow in a row."""

    START = 0
    CODE = 1
    CODE_OR_END = 2
    END = 3
    TEXT = 4
    END_OF_TEXT = 5


def allowed_tokens(ids: TokenIds) -> Tensor:
    """(states, vocabulary_size) bool: what may follow in each `State`."""
    allowed = torch.zeros(len(State), ids.vocabulary_size, dtype=torch.bool)
    codes = torch.tensor(ids.codes)
    allowed[State.START, ids.start] = True
    allowed[State.CODE, codes] = True
    allowed[State.CODE_OR_END, codes] = True
    allowed[State.CODE_OR_END, ids.end] = True
    allowed[State.END, ids.end] = True
    allowed[State.TEXT] = True
    allowed[State.TEXT, torch.tensor(ids.never_in_text, dtype=torch.long)] = False
    allowed[State.END_OF_TEXT, ids.end_of_text] = True
    return allowed


@dataclass(frozen=True)
class OutputVocabulary:
    """What outputs of one kind are made of.

    Attributes:
        token_ids: (A,) what may be generated; the last of them ends the output.
        opening: token that every output begins with.
        closing: token that is part of the output's end; a text's end is not shown.
    """

    token_ids: Tensor
    opening: int | None = None
    closing: int | None = None

    @classmethod
    def of(cls, kind: str, ids: TokenIds) -> "OutputVocabulary":
        """That of a motion or a text."""
        if kind == "motion":
            return cls(torch.tensor([*ids.codes, ids.end]), ids.start, ids.end)
        never = torch.tensor([*ids.never_in_text, ids.end_of_text], dtype=torch.long)
        words = torch.ones(ids.vocabulary_size, dtype=torch.bool)
        words[never] = False
        return cls(torch.cat([words.nonzero()[:, 0], torch.tensor([ids.end_of_text])]))

    def whole(self, indices: Sequence[int]) -> list[int]:
        """Token ids of a whole output, from the indices (L,) of its tokens among `token_ids`."""
        first = [] if self.opening is None else [self.opening]
        last = [] if self.closing is None else [self.closing]
        return [*first, *self.token_ids[list(indices)].tolist(), *last]


@dataclass(frozen=True)
class Rows:
    """What each of B rows generates, and how much of it.

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
            UserError: unknown kind, a length or limit below 1, or a length asked of a text.
        """
        if max_motion_tokens < 1:
            raise UserError(f"max_motion_tokens={max_motion_tokens}: must be at least 1")
        fewest, most = [], []
        for kind, count in zip(kinds, token_counts, strict=True):
            if kind not in KINDS:
                raise UserError(f"kind={kind} is unknown: choose one of {', '.join(KINDS)}")
            if count is not None and (kind != "motion" or count < 1):
                raise UserError(
                    f"a {kind} of {count} motion tokens can't be generated: ask at least 1, of a "
                    "motion only"
                )
            free = max_motion_tokens if kind == "motion" else max_text_tokens
            fewest.append((1 if kind == "motion" else 0) if count is None else count)
            most.append(free if count is None else count)
        is_motion = torch.tensor([kind == "motion" for kind in kinds])
        return cls(is_motion, torch.tensor(fewest), torch.tensor(most))

    def part(self, indices: Sequence[int]) -> "Rows":
        """Some of the rows."""
        chosen = list(indices)
        return Rows(self.is_motion[chosen], self.fewest[chosen], self.most[chosen])

    def longest(self) -> int:
        """Tokens the longest row may have, marks and end of text included."""
        return int((self.most + torch.where(self.is_motion, 2, 1)).max())

    def states(self, generated: int) -> Tensor:
        """(B,) int64 `State` of every row after `generated` tokens."""
        codes = generated - 1
        motion = torch.full_like(self.most, State.CODE_OR_END)
        motion[codes < self.fewest] = State.CODE
        motion[codes >= self.most] = State.END
        if generated == 0:
            motion.fill_(State.START)
        text = torch.where(self.most <= generated, int(State.END_OF_TEXT), int(State.TEXT))
        return torch.where(self.is_motion, motion, text)


def alike(prompts: Sequence[str], rows: Rows, size: int) -> Iterator[list[int]]:
    """Indices of at most `size` rows of one kind and of similar lengths, until all were named."""
    for wanted in (True, False):
        kind = torch.nonzero(rows.is_motion == wanted)[:, 0].tolist()
        order = sorted(kind, key=lambda index: (int(rows.most[index]), len(prompts[index])))
        for first in range(0, len(order), size):
            yield order[first : first + size]


class RowConstraint(LogitsProcessor):
    """Leaves each row only the tokens that its state allows.

    A row is finished by the end mark (motion) or the end of text; what is offered to it afterwards
    is replaced by padding, so the state needs no memory beyond the number of generated tokens.
    """

    def __init__(self, ids: TokenIds, rows: Rows, prefix_length: int, num_beams: int = 1) -> None:
        """`prefix_length` is the number of tokens in the sequences before the first generated."""
        self.allowed = allowed_tokens(ids)
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
