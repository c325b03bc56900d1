"""What a clip must be to enter a store: one place for building and for verifying."""

import unicodedata
from collections import Counter
from collections.abc import Container, Iterable

import numpy as np

from motiongpt.data.clip import SPLITS, BadClip, Clip
from motiongpt.motion.plausible import bone_problem
from motiongpt.motion.skeleton import Skeleton

# One token of the largest downsampling that the tokenizers offer.
MIN_FRAMES = 8
# Of a caption with its tokens: HumanML3D's longest has 1,500.
MOST_LETTERS = 20_000


def clip_problem(
    clip: Clip, skeleton: Skeleton, min_frames: int = MIN_FRAMES, labels: Container[str] = ()
) -> str | None:
    """Why `clip` must not be used, in one line; None where it is good.

    A clip without captions is good: not every codec or method reads.

    Args:
        min_frames: fewest feature rows; one joint frame more is needed where joints are given.
        labels: the known labels; not checked where empty.
    """
    problem = text_problem(clip.name, "its name; rename the file")
    if problem:
        return problem
    if clip.split not in SPLITS:
        return f"unknown split {clip.split[:60]!r}, expected one of {', '.join(SPLITS)}"
    if any(not caption.text.strip() for caption in clip.captions):
        return "empty caption"
    texts = [text for caption in clip.captions for text in (caption.text, caption.tokens)]
    problem = next(filter(None, map(text_problem, [*texts, *clip.labels])), None)
    if problem:
        return problem
    unknown = [label for label in clip.labels if labels and label not in labels]
    if unknown:
        return f"label {unknown[0][:60]!r} has no action words"
    if (clip.joints is None) == (clip.features is None):
        return "needs either joints or features"
    if clip.joints is not None:
        row = (skeleton.n_joints, 3)
        problem = array_problem(clip.joints, row, min_frames + 1, "joints")
        return problem or bone_problem(clip.joints, skeleton)
    assert clip.features is not None
    return array_problem(clip.features, (skeleton.n_features,), min_frames, "features")


def text_problem(text: str, where: str = "a caption or label; remove it") -> str | None:
    """Why `text` is no caption, label or name, None where it is: half letters can't be written,
    control characters steer the terminal that shows them."""
    if len(text) > MOST_LETTERS:
        return f"a text of {len(text):,} letters, at most {MOST_LETTERS:,} are used"
    if text.isprintable():  # nearly every text: Python says it without a look at each letter
        return None
    for letter in text:
        kind = _NO_TEXT.get(unicodedata.category(letter))
        if kind and letter not in "\t\n":
            return f"{kind} U+{ord(letter):04X} in {where}"
    return None


_NO_TEXT = {"Cc": "a control character", "Cs": "half a letter (surrogate)"}


def array_problem(
    array: np.ndarray, row: tuple[int, ...], min_frames: int, what: str
) -> str | None:
    """Why `array` is no motion of at least `min_frames` rows shaped `row`; None where it is."""
    expected = ", ".join(["T", *map(str, row)])
    if not np.issubdtype(array.dtype, np.floating):
        return f"{what} are {array.dtype}, expected float32"
    if array.shape[1:] != row or array.ndim != 1 + len(row):
        return f"wrong width: {what} of shape {array.shape}, expected ({expected})"
    if len(array) < min_frames:
        return f"too short: {len(array)} frames, at least {min_frames} are needed"
    broken = ~np.isfinite(array).reshape(len(array), -1).all(1)
    if broken.any():
        count, first = int(broken.sum()), int(np.argmax(broken))
        return f"NaN or infinity in {count} of {len(array)} frames, first in frame {first}"
    return None


def name_problems(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Names that are used more than once -> why: in two splits, or twice in one.

    Args:
        names: (name, split) of every clip.
    """
    splits: dict[str, Counter[str]] = {}
    for name, split in names:
        splits.setdefault(name, Counter())[split] += 1
    problems = {}
    for name, found in splits.items():
        if len(found) > 1:
            problems[name] = f"in two splits: {' and '.join(sorted(found))}"
        elif found.total() > 1:
            problems[name] = f"{found.total()} clips of this name in {next(iter(found))}"
    return problems


def sample(bad: Iterable[BadClip], most: int = 5) -> str:
    """The first few bad clips with their reasons, in one line."""
    items = list(bad)
    text = "; ".join(f"{item.name} ({item.reason})" for item in items[:most])
    return text + (f"; and {len(items) - most} more" if len(items) > most else "")
