"""Instructions that mix words and motion, each answered with words or with a motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch

from motiongpt.api.inputs import MotionLike, as_motions
from motiongpt.api.motion import Motion
from motiongpt.api.writing import Writer
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.generation.model import Answer, Request
from motiongpt.methods.motiongpt.tasks.query import Query

Message: TypeAlias = Sequence[str | Motion | np.ndarray]
ANSWERS = ("any", "text", "motion")
# The tasks whose answers are read as they stand: what was given is not joined to them.
PLAIN = {"motion": "text_to_motion", "text": "motion_to_text"}
BATCH_SIZE = 128  # prompts that are read together to see what each begins with


@dataclass(frozen=True)
class Reply:
    """What the model answered: one of both is there.

    Attributes:
        text: its words, empty where it moved.
        motions: its motions.
    """

    text: str
    motions: tuple[Motion, ...]


def chat_requests(
    writer: Writer, messages: str | Message | Sequence[str | Message], answer: str
) -> tuple[list[Request], list[str]]:
    """What the model is asked, and the words of each message for the captions of the answers.

    Raises:
        UserError: see `MotionGPT.chat`.
    """
    if answer not in ANSWERS:
        raise UserError(f"answer={answer}: choose one of {', '.join(ANSWERS)}")
    listed = [_pieces(index, message) for index, message in enumerate(_separate(messages))]
    motions = [piece for pieces in listed for piece in pieces if not isinstance(piece, str)]
    given = as_motions(motions, writer.skeleton, writer.fps) if motions else []
    codes = iter(writer.encode([motion.features for motion in given]))
    write = writer.tasks.placeholders.vocabulary.write
    prompts = [
        "".join(piece if isinstance(piece, str) else write(next(codes)) for piece in pieces)
        for pieces in listed
    ]
    kinds = begun_with(writer, prompts) if answer == "any" else [answer] * len(prompts)
    query = Query(writer.fps, writer.frames_per_token)
    requests = [
        Request(writer.tasks[PLAIN[kind]], query, wording=prompt)
        for kind, prompt in zip(kinds, prompts, strict=True)
    ]
    words = [" ".join(piece for piece in pieces if isinstance(piece, str)) for pieces in listed]
    return requests, [" ".join(said.split()) for said in words]


def replies_of(writer: Writer, answers: Sequence[Answer], said: Sequence[str]) -> list[Reply]:
    """Answers as people read them; all motions are decoded in one call."""
    found = []
    for answer, rows, words in zip(answers, writer.model.motions(answers), said, strict=True):
        moved = len(rows) > 0
        motion = (
            (Motion.from_features(rows, writer.fps, (words,), writer.skeleton),) if moved else ()
        )
        found.append(Reply(answer.text, motion))
    return found


@torch.no_grad()
def begun_with(writer: Writer, prompts: Sequence[str]) -> list[str]:
    """ "motion" for prompts after which the model would begin a motion, "text" for the others."""
    backbone = writer.model.backbone
    start = backbone.token_ids.start
    kinds: list[str] = []
    for first in range(0, len(prompts), BATCH_SIZE):
        rows = backbone.encode_inputs(prompts[first : first + BATCH_SIZE])
        batch = backbone.collate_ids(rows, [[start]] * len(rows))
        logits, _ = backbone.logits({key: row.to(backbone.device) for key, row in batch.items()})
        motion = logits[:, start].clone()
        forbidden = torch.tensor(backbone.token_ids.never_in_text, device=logits.device)
        logits[:, forbidden] = -torch.inf
        kinds += ["motion" if one else "text" for one in (motion > logits.amax(-1)).tolist()]
    return kinds


def _separate(
    messages: str | Message | Sequence[str | Message],
) -> list[str | Message]:
    """One message or several: a list that holds a motion is one."""
    if isinstance(messages, str):
        return [messages]
    listed = list(messages)
    if not listed:
        raise UserError("no message; give at least one")
    alone = any(isinstance(piece, Motion | np.ndarray) for piece in listed)
    return [listed] if alone else listed  # type: ignore[return-value, list-item]


def _pieces(index: int, message: str | Message) -> list[str | MotionLike]:
    pieces = [message] if isinstance(message, str) else list(message)
    for piece in pieces:
        if not isinstance(piece, str | Motion | np.ndarray):
            raise UserError(
                f"message {index} holds a {type(piece).__name__}; give words and motions"
            )
    if not any(isinstance(piece, str) and piece.strip() for piece in pieces):
        raise UserError(f"message {index} has no words; say what is asked")
    return list(pieces)
