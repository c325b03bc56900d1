"""How many frames a motion will have, where its method can't end it by itself."""

from collections.abc import Callable, Sequence

import numpy as np

from motiongpt.errors import UserError
from motiongpt.methods.base import TEXT_TO_MOTION, Request
from motiongpt.sampling.keys import row_key
from motiongpt.sampling.rng import generator_of

TRAINING = "training"


def check_length(method: str, length: object, words: Sequence[str] = (TRAINING,)) -> None:
    """Refuse what is neither a number of frames, 1 or more, nor one of `words`.

    Raises:
        UserError: that.
    """
    known = (type(length) is int and length >= 1) or length in words
    if not known:
        raise UserError(
            f"method {method}: length={length}; choose {', '.join(words)} or a number of frames"
        )


def asked_length(
    method: str, request: Request, longest: int | None, choose: Callable[[], int]
) -> int:
    """Frames of the whole motion: those asked for, or where none are, those that `choose` gives.

    Raises:
        UserError: none, or more than `longest`.
    """
    frames = choose() if request.frames is None else request.frames
    if not 1 <= frames <= (longest or frames):
        raise UserError(
            f"clip {request.clip}: {frames} frames asked for; method {method} generates 1 to "
            f"{longest or 'any number'}"
        )
    return frames


def drawn_length(
    request: Request, seed: int, length: int | str, trained: np.ndarray, longest: int | None
) -> int:
    """Frames of a motion that no length is asked for: `length`, or those of a training clip.

    A clip is drawn by the request's own stream; the motion goes on for a frame at least beyond what
    the request gives, and ends where the request or the method wants it to end.

    Args:
        length: a number of frames, or "training".
        trained: (N,) frames of training clips.
        longest: frames of the longest motion that the method generates; None for any number.
    """
    given = given_frames(request)
    limits = [limit for limit in (request.max_frames, longest) if limit is not None]
    if isinstance(length, int):
        frames = max(length, given + 1)
    else:
        stream = generator_of(seed, row_key(request.key, "length"))
        longer = trained[trained > given]
        frames = int(stream.choice(longer)) if len(longer) else max([given + 1, *limits])
    return min([frames, *limits])


def given_frames(request: Request) -> int:
    """How many frames a request gives."""
    return sum(len(rows) for rows in (request.start, request.end) if rows is not None)


def check_words(request: Request) -> None:
    """Refuse text to motion without a text.

    Raises:
        UserError: that.
    """
    if request.task == TEXT_TO_MOTION and request.text is None:
        raise UserError(f"clip {request.clip}: {request.task} needs a text; give the request one")
