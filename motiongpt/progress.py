"""Progress of long work: a bar for who watches, a line now and then for who reads it later."""

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

SECONDS_IN_A_FILE = 30.0


def progress_bar(iterable: Iterable[Any] | None = None, **settings: Any) -> Any:
    """A `tqdm` with some settings of its own; in a log file it speaks twice a minute at most.

    Args:
        iterable: what is gone through; None for a bar that is told by `update`.
        settings: of `tqdm`.
    """
    pace = {} if sys.stderr.isatty() else {"mininterval": SECONDS_IN_A_FILE, "maxinterval": 60.0}
    return tqdm(iterable, **{**pace, **settings})
