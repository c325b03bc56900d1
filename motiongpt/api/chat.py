"""Instructions that mix words and motion, each replied to with words or with a motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch

from motiongpt.api.inputs import FREE_SECONDS, MotionLike, as_motions, check_letters
from motiongpt.api.motion import Motion
from motiongpt.errors import UserError
from motiongpt.methods.base import MOTION_TO_TEXT, TEXT_TO_MOTION, Output, Request
from motiongpt.methods.motiongpt.joining import whole_tokens
from motiongpt.methods.motiongpt.method import MotionGPTMethod, Prompted
from motiongpt.methods.motiongpt.rounding import Rounded
from motiongpt.motion.skeleton import Skeleton

Message: TypeAlias = Sequence[str | Motion | np.ndarray]
OUTPUTS = ("any", "text", "motion")
# The tasks whose outputs are read as they stand: what was given is not joined to them.
PLAIN = {"motion": TEXT_TO_MOTION, "text": MOTION_TO_TEXT}
BATCH_SIZE = 128  # prompts that are read together to see what each begins with


@dataclass(frozen=True)
class ChatOutput:
    """What the model generated: one of both is there.

    Attributes:
        text: its words, empty where it moved.
        motions: its motions.
    """

    text: str
    motions: tuple[Motion, ...]


def chat_prompts(
    method: MotionGPTMethod,
    skeleton: Skeleton,
    fps: float,
    messages: str | Message | Sequence[str | Message],
    output: str,
) -> tuple[list[Prompted], list[str]]:
    """What the model reads, and the words of each message for the captions of the outputs.

    Raises:
        UserError: see `MotionGPT.chat`.
    """
    if output not in OUTPUTS:
        raise UserError(f"output={output}: choose one of {', '.join(OUTPUTS)}")
    listed = [_pieces(index, message) for index, message in enumerate(_separate(messages))]
    motions = [piece for pieces in listed for piece in pieces if not isinstance(piece, str)]
    given = as_motions(motions, skeleton, fps) if motions else []
    rate = method.format.rate
    clips = [whole_tokens(motion.features, rate, skeleton) for motion in given]
    codes = iter(method.encoded(clips))
    write = method.mix.placeholders.vocabulary.write
    prompts = [
        "".join(piece if isinstance(piece, str) else write(next(codes)) for piece in pieces)
        for pieces in listed
    ]
    kinds = begun_with(method, prompts) if output == "any" else [output] * len(prompts)
    found = [
        Prompted(
            Rounded(
                Request(f"chat {prompt}", PLAIN[kind], max_frames=int(FREE_SECONDS * fps)),
                method.format,
            ),
            method.mix[PLAIN[kind]],
            prompt,
        )
        for kind, prompt in zip(kinds, prompts, strict=True)
    ]
    words = [" ".join(piece for piece in pieces if isinstance(piece, str)) for pieces in listed]
    return found, [" ".join(said.split()) for said in words]


def chat_outputs(
    outputs: Sequence[Output], words: Sequence[str], skeleton: Skeleton, fps: float
) -> list[ChatOutput]:
    """Outputs as people read them."""
    found = []
    for output, said in zip(outputs, words, strict=True):
        rows = output.motion
        motions = (
            (Motion.from_features(rows, fps, (said,), skeleton),)
            if rows is not None and len(rows)
            else ()
        )
        found.append(ChatOutput(output.text, motions))
    return found


@torch.no_grad()
def begun_with(method: MotionGPTMethod, prompts: Sequence[str]) -> list[str]:
    """ "motion" for prompts after which the model would begin a motion, "text" for the others."""
    backbone = method.backbone
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
        if isinstance(piece, str):
            check_letters(piece, f"message {index}")
    if not any(isinstance(piece, str) and piece.strip() for piece in pieces):
        raise UserError(f"message {index} has no words; say what is asked")
    return list(pieces)
