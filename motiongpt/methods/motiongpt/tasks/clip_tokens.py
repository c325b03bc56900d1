"""A clip as tokens.

Shape letters: L tokens. A code is an int64 index into the tokenizer's codebook.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from motiongpt.errors import UserError

Codes: TypeAlias = NDArray[np.int64]
WHOLE = "whole"


@dataclass(frozen=True)
class ClipTokens:
    """One clip as the language model sees it.

    Attributes:
        name: unique within the data set.
        frames: frames of the clip; a rest shorter than one token is counted here, not in codes.
        fps: frames per second.
        frames_per_token: frames that one code stands for.
        captions: sentences about the clip, may be empty.
        views: codes (L,) by view name. "whole" is the clip; every other view was encoded from its
            own frames alone, so that no code has seen a frame outside (see `views.py`).
    """

    name: str
    frames: int
    fps: float
    frames_per_token: int
    captions: tuple[str, ...]
    views: Mapping[str, Codes]

    @property
    def codes(self) -> Codes:
        """Codes (L,) of the whole clip."""
        return self.view(WHOLE)

    @property
    def tokens(self) -> int:
        """L, the number of codes of the whole clip."""
        return len(self.codes)

    @property
    def seconds(self) -> float:
        """Duration of the clip."""
        return self.frames / self.fps

    def view(self, name: str) -> Codes:
        """Codes of one view.

        Raises:
            UserError: the clip has no such view.
        """
        if name not in self.views:
            raise UserError(
                f"clip {self.name}: no tokens of view '{name}' (has {', '.join(self.views)}); "
                "name it in stage.tokens.views"
            )
        return self.views[name]
