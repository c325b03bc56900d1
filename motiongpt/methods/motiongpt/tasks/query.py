"""What a task is asked. Shape letters: L tokens."""

from dataclasses import dataclass

from motiongpt.methods.motiongpt.tasks.clip_tokens import Codes


@dataclass(frozen=True)
class Query:
    """All that a task may know when it is asked, with or without a clip behind it.

    Attributes:
        fps: frames per second.
        frames_per_token: frames that one code stands for.
        text: caption, empty if there is none.
        frames: length of the whole motion where it is asked for or known.
        motion: codes (L,) of a whole motion that is shown (captioning).
        start: codes of the frames given at the start (prediction, in-between).
        end: codes of the frames given at the end (in-between).
    """

    fps: float
    frames_per_token: int
    text: str = ""
    frames: int | None = None
    motion: Codes | None = None
    start: Codes | None = None
    end: Codes | None = None

    @property
    def tokens(self) -> int | None:
        """Number of tokens of the whole motion, or None where its length is open."""
        return None if self.frames is None else self.frames // self.frames_per_token

    @property
    def seconds(self) -> float | None:
        """Duration of the whole motion, or None where its length is open."""
        return None if self.frames is None else self.frames / self.fps
