"""What a task may know at test time, in tokens. Shape letters: L tokens."""

from dataclasses import dataclass

import numpy as np

from motiongpt.methods.motiongpt.tasks.clip_tokens import Codes


@dataclass(frozen=True)
class Query:
    """All that a task may know when it is asked.

    Attributes:
        fps: frames per second.
        frames_per_token: frames that one code stands for.
        text: caption, empty if there is none.
        frames: length of the whole motion where it is asked for or known.
        motion: codes (L,) of a whole motion that is shown (captioning).
        start: codes of the frames given at the start (prediction, in-between).
        end: codes of the frames given at the end (in-between).
        rest: codes of what follows the start, where a wording shows it.
    """

    fps: float
    frames_per_token: int
    text: str = ""
    frames: int | None = None
    motion: Codes | None = None
    start: Codes | None = None
    end: Codes | None = None
    rest: Codes | None = None

    @property
    def tokens(self) -> int | None:
        """Number of tokens of the whole motion, or None where its length is open."""
        return None if self.frames is None else self.frames // self.frames_per_token

    @property
    def given_start(self) -> Codes:
        """`start`, empty where there is none."""
        return np.zeros(0, np.int64) if self.start is None else self.start

    @property
    def given_end(self) -> Codes:
        """`end`, empty where there is none."""
        return np.zeros(0, np.int64) if self.end is None else self.end

    @property
    def seconds(self) -> float | None:
        """Duration of the whole motion, or None where its length is open."""
        return None if self.frames is None else self.frames / self.fps
