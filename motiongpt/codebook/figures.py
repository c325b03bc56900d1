"""Codes as motion: decoded between their neighbours, and repeated.

A decoder sees several tokens at once, so a code alone has no motion; of what is decoded in context
the frames of its own token belong to it (as MotionGPT's `get_code_visual` shows them).
Shape letters: M tokens of all clips, Q codebooks, K codes of each, T frames, J joints.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motiongpt.codebook.contexts import Context, contexts_of
from motiongpt.codebook.tokens import Tokens
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.errors import UserError
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import Skeleton

SECONDS_BESIDE = 0.5  # of motion shown before and after the code's own frames
NO_CODE = -1  # of a token that lacks one, see `DiscreteCodec.least_code`


@dataclass(frozen=True)
class CodeFigure:
    """What one code does.

    Attributes:
        code: of its codebook.
        context: None for a code that no token has; it is only shown repeated.
        joints: (T, J, 3) metres, in context.
        own: first and past-the-last frame of the code's own token.
        repeated: (T, J, 3) metres, the code decoded again and again; None where the codec has no
            token of this code alone.
        adds: millimetres by which joints move, about the pelvis, in the own frames where the
            code is added to those of the codebooks before it; None for the first codebook.
    """

    code: int
    context: Context | None
    joints: np.ndarray
    own: tuple[int, int]
    repeated: np.ndarray | None
    adds: float | None = None


def reach_of(codec: TrainedTokenizer, fps: float) -> int:
    """Tokens shown on each side of a code: half a second, two at least."""
    return max(2, math.ceil(SECONDS_BESIDE * fps / codec.frames_per_token))


def figures_of(
    codec: TrainedTokenizer, tokens: Tokens, codebook: int, skeleton: Skeleton, fps: float
) -> list[CodeFigure]:
    """A figure of every code of a codebook, in order, but dead ones that can't be shown."""
    reach, size = reach_of(codec, fps), codec.codebook_size
    contexts = contexts_of(tokens, codebook, size, reach)
    repeated = _repeated(codec, codebook, 2 * reach + 1, skeleton)
    used = [one for one in contexts if one is not None]
    windows = [tokens.codes[one.first : one.last] for one in used]
    shown = iter(_decoded(codec, windows, skeleton))
    added = iter(_added(codec, used, windows, codebook, skeleton))
    found = []
    for code, context in enumerate(contexts):
        alone = None if repeated is None else repeated[code]
        if context is not None:
            start = (context.token - context.first) * codec.frames_per_token
            own = start, start + codec.frames_per_token
            found.append(CodeFigure(code, context, next(shown), own, alone, next(added)))
        elif alone is not None:
            found.append(CodeFigure(code, None, alone, (0, len(alone)), alone))
    return found


def _repeated(
    codec: TrainedTokenizer, codebook: int, count: int, skeleton: Skeleton
) -> list[np.ndarray] | None:
    """Each code `count` times, with none of the other codebooks; None where a token needs all."""
    if codec.codebooks > 1 and codec.tokenizer.least_code != NO_CODE:
        return None
    rows = np.full((codec.codebook_size, count, codec.codebooks), NO_CODE, np.int64)
    rows[..., codebook] = np.arange(codec.codebook_size)[:, None]
    return _decoded(codec, list(rows), skeleton)


def _added(
    codec: TrainedTokenizer,
    contexts: Sequence[Context],
    windows: Sequence[np.ndarray],
    codebook: int,
    skeleton: Skeleton,
) -> list[float | None]:
    """`CodeFigure.adds` of each window (L, Q)."""
    if codebook == 0 or codec.tokenizer.least_code != NO_CODE:
        return [None] * len(contexts)
    without, with_it = (
        _decoded(codec, [_first_codebooks(one, count) for one in windows], skeleton)
        for count in (codebook, codebook + 1)
    )
    found: list[float | None] = []
    for context, before, after in zip(contexts, without, with_it, strict=True):
        start = (context.token - context.first) * codec.frames_per_token
        own = slice(start, start + codec.frames_per_token)
        moved = (after - after[:, :1])[own] - (before - before[:, :1])[own]
        found.append(1000 * float(np.linalg.norm(moved, axis=-1).mean()))
    return found


def _first_codebooks(window: np.ndarray, count: int) -> np.ndarray:
    kept = window.copy()
    kept[:, count:] = NO_CODE
    return kept


def _decoded(
    codec: TrainedTokenizer, windows: Sequence[np.ndarray], skeleton: Skeleton
) -> list[np.ndarray]:
    """Joints (T, J, 3) in metres of each window of tokens (L, Q).

    Raises:
        UserError: the decoder makes no numbers of one.
    """
    single = codec.codebooks == 1
    features = codec.decode([one[:, 0] if single else one for one in windows])
    if not all(np.isfinite(one).all() for one in features):
        raise UserError(
            "the codec decodes to NaN or infinity: its weights are damaged; train it again"
        )
    return [features_to_joints(torch.from_numpy(one), skeleton).numpy() for one in features]
