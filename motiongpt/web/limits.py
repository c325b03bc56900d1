"""How much one visitor may ask of the machine."""

from dataclasses import dataclass

from motiongpt.errors import UserError

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """All bounds of the page; `motiongpt web` takes some of them as options.

    Attributes:
        seconds: a request may take; what takes longer is ended.
        upload_bytes: of an uploaded file.
        upload_seconds: of the motion in it.
        waiting: requests in the queue before new ones are turned away.
        downloads: files that wait to be made, before new ones are turned away.
        samples: of one sentence.
        letters: of a sentence.
        turns: of a session that are kept; the oldest one's files go first.
        sessions: at once; the one that was idle for the longest ends first.
        idle: seconds after which a session ends that says nothing.
    """

    seconds: float = 60.0
    upload_bytes: int = 20 * MEGABYTE
    upload_seconds: float = 60.0
    waiting: int = 40
    downloads: int = 16
    samples: int = 4
    letters: int = 300
    turns: int = 20
    sessions: int = 200
    idle: float = 3600.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise UserError(f"{name}={value:g}: expected a number above zero")

    def checked_sentence(self, text: str) -> str:
        """The words in one line.

        Raises:
            UserError: too many letters.
        """
        words = " ".join(text.split())
        if len(words) > self.letters:
            raise UserError(
                f"a sentence of {len(words):,} letters; at most {self.letters} are read: shorten it"
            )
        return words
