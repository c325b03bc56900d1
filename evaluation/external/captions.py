"""Which caption of a clip asked for a motion: needed where text and motion are compared."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.requests.kinds import Kind
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.reading import read_json_object

FILE = "captions.json"
"""In the folder of the predictions: name of a clip -> the caption that asked, by its number in the
data or in its own words; or a list of these, one for each draw."""


def request_captions(
    folder: Path, store: MotionStore, clips: Sequence[str], draws: Sequence[str], kind: Kind
) -> tuple[dict[str, list[int]], str]:
    """Numbers of the captions that asked for each clip, by draw, and where they are from.

    Without `captions.json` it is the first of each clip; -1 where no caption asks.

    Raises:
        UserError: the file is broken, or names a caption that the clip does not have.
    """
    if kind != "motion":
        return {draw: [-1] * len(clips) for draw in draws}, ""
    path = folder / FILE
    if not path.exists():
        first = {draw: [0] * len(clips) for draw in draws}
        return first, f"the first of each clip is taken to have asked (no {FILE})"
    try:
        given = read_json_object(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: no JSON of captions by clip: {error}") from error
    index = {name: number for number, name in enumerate(store.names)}
    found: dict[str, list[int]] = {draw: [] for draw in draws}
    for clip in clips:
        texts = [caption.text for caption in store.captions(index[clip])]
        for number, draw in enumerate(draws):
            found[draw].append(_number(_of_draw(given, clip, number, path), texts, clip, path))
    return found, f"as {FILE} says"


def _of_draw(given: Mapping[str, Any], clip: str, draw: int, path: Path) -> object:
    if clip not in given:
        raise UserError(f"{path}: no caption of clip {clip}; name its number or its words")
    value = given[clip]
    if not isinstance(value, list):
        return value
    if draw >= len(value):
        raise UserError(f"{path}: {len(value)} captions of clip {clip}, draw {draw + 1} has none")
    return value[draw]


def _number(value: object, texts: Sequence[str], clip: str, path: Path) -> int:
    if isinstance(value, str) and value.strip() in texts:
        return texts.index(value.strip())
    if type(value) is int and 0 <= value < len(texts):
        return value
    raise UserError(
        f"{path}: {str(value)[:100]!r} is no caption of clip {clip}, which has {len(texts)}: give "
        f"a number from 0 to {len(texts) - 1} or the words of one"
    )
