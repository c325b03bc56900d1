"""What people pass to a model, checked: sentences, motions, lengths."""

import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from motiongpt.api.motion import Motion
from motiongpt.errors import UserError
from motiongpt.motion.skeleton import Skeleton

SEEDS = 2**32  # what numpy and torch take
FREE_SECONDS = 9.8  # a motion of free length ends here at the latest: HumanML3D's 196 frames

MotionLike: TypeAlias = Motion | str | Path | np.ndarray
"""A motion, its file, or an array of joints or features at the model's frame rate."""


def as_texts(texts: str | Sequence[str]) -> list[str]:
    """One or several sentences as a list.

    Raises:
        UserError: none, or one that is no text, can't be written, or says nothing.
    """
    listed = _listed(texts)
    if not listed:
        raise UserError("no text; give at least one sentence")
    for index, text in enumerate(listed):
        if not isinstance(text, str):
            raise UserError(f"text {index} is a {type(text).__name__}; give a sentence")
        check_letters(text, f"text {index}")
        if not text.strip():
            raise UserError(f"text {index} is empty; say what the person does")
    return [" ".join(text.split()) for text in listed]


def check_letters(text: str, what: str) -> None:
    """Refuse half letters, which no tokenizer takes.

    Raises:
        UserError: names the first.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = ord(text[error.start])
        raise UserError(
            f"{what}: letter {error.start} is half a letter (surrogate U+{half:04X}); leave it out"
        ) from None


def as_motions(
    motions: MotionLike | Sequence[MotionLike], skeleton: Skeleton, fps: float, what: str = "motion"
) -> list[Motion]:
    """One or several motions as a list, at the model's frame rate.

    Raises:
        UserError: none, a file that can't be read, or a motion of another skeleton.
    """
    listed = _listed(motions)
    if not listed:
        raise UserError(f"no {what}; give at least one")
    several = len(listed) > 1
    names = [f"{what} {index}" if several else what for index in range(len(listed))]
    return [_as_motion(one, skeleton, fps, name) for one, name in zip(listed, names, strict=True)]


def _listed(values: Any) -> list[Any]:
    """Several things, or the one thing that there is; an array is one motion."""
    alone = isinstance(values, str | np.ndarray) or not isinstance(values, Iterable)
    return [values] if alone else list(values)


def _as_motion(motion: object, skeleton: Skeleton, fps: float, what: str) -> Motion:
    if isinstance(motion, str | Path):
        motion = Motion.from_file(motion)
    elif isinstance(motion, np.ndarray):
        motion = Motion.from_array(motion, fps)
    if not isinstance(motion, Motion):
        raise UserError(f"{what} is a {type(motion).__name__}; give a Motion, a file or an array")
    if motion.skeleton.name != skeleton.name:
        raise UserError(
            f"{what} has the skeleton {motion.skeleton.name!r}, the model was trained on "
            f"{skeleton.name!r}: convert its joints first"
        )
    return motion.at(fps)


def one_for_each(
    values: int | str | Sequence[int | str | None] | None, count: int, name: str
) -> list[int | str | None]:
    """A value for all, or one for each of `count`.

    Raises:
        UserError: another number of them.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        return [values] * count
    listed = list(values)
    if len(listed) != count:
        raise UserError(f"{len(listed)} values of {name} for {count}: give one, or one for each")
    return listed


def texts_for_each(text: str | Sequence[str] | None, count: int) -> list[str]:
    """A sentence for all, or one for each of `count`; empty where there is none.

    Raises:
        UserError: another number of them, or one that says nothing.
    """
    return [
        "" if one is None else as_texts(str(one))[0] for one in one_for_each(text, count, "text")
    ]


def checked_frames(frames: object, fewest: int, most: int | None, why: str) -> int:
    """A number of frames between two bounds.

    Raises:
        UserError: no whole number, or outside; says `why` fewer make no sense.
    """
    if isinstance(frames, bool) or not isinstance(frames, int | np.integer):
        raise UserError(f"frames={frames}: expected a whole number")
    if frames < fewest:
        raise UserError(f"frames={frames}: ask for at least {fewest}, {why}")
    if most is not None and frames > most:
        raise UserError(f"frames={frames}: the method generates at most {most} at once")
    return int(frames)


def seed_of(seed: int | None) -> int:
    """A seed; drawn where none is given, so that every call differs.

    Raises:
        UserError: no whole number, or one that numpy and torch don't take.
    """
    if seed is None:
        return secrets.randbelow(2**31)
    whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if not whole or not 0 <= seed < SEEDS:
        raise UserError(f"seed={seed}: expected a whole number from 0 to {SEEDS - 1}")
    return int(seed)
