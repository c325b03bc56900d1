"""Clips without captions, which no example with words can be made of."""

import numpy as np

from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.training.stage import StageContext


def captioned_clips(name: str, context: StageContext) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the training and of the validation clips that have a caption.

    Args:
        name: of the stage, for the line that counts the others.

    Raises:
        UserError: no training clip has one.
    """
    store = context.store
    train, val = (
        np.setdiff1d(clips, store.without_captions(clips))
        for clips in (store.indices("train"), store.indices("val"))
    )
    log_clips_without_captions(name, train, context)
    return train, val


def log_clips_without_captions(name: str, used: np.ndarray, context: StageContext) -> None:
    """One line that says how many training clips have no caption, where some have none.

    Args:
        name: of the stage.
        used: indices of the clips that it trains on.

    Raises:
        UserError: it has none to train on because no training clip has a caption.
    """
    if not len(used):
        check_captions(name, context.store)
    found, silent = _without(context.store)
    if silent:
        context.log(f"  {name}: {found}, no example with words is made of them")


def check_captions(name: str, store: MotionStore) -> None:
    """See that a stage whose examples all need words has some.

    Raises:
        UserError: no training clip has a caption.
    """
    found, silent = _without(store)
    if silent and silent == len(store.indices("train")):
        raise UserError(
            f"stage {name}: {found}, and its examples need words; add captions to the data"
        )


def _without(store: MotionStore) -> tuple[str, int]:
    """How many training clips have no caption, in words and as a number."""
    train = store.indices("train")
    silent = len(store.without_captions(train))
    return f"{silent:,} of {len(train):,} training clips have no caption", silent
