"""The lines of a text of unknown origin, one by one and within bounds."""

import io
from collections.abc import Iterator

from motiongpt.errors import UserError

MOST_LETTERS = 4 << 20  # of a line


class TextLines(Iterator[str]):
    """The lines of a file one by one; `number` is that of the last one with something in it.

    Reading raises UserError for a line that is too long, and UnicodeDecodeError where bytes are no
    UTF-8 (see `no_text`).
    """

    def __init__(self, content: bytes | str, name: str, what: str) -> None:
        """Read from the beginning.

        Args:
            content: of the file.
            name: of the file, for complaints.
            what: it should be, such as "a BVH file", for complaints.
        """
        self._stream: io.TextIOBase
        if isinstance(content, bytes):
            self._stream = io.TextIOWrapper(io.BytesIO(content), "utf-8-sig")
        else:
            self._stream = io.StringIO(content, newline=None)
        self._name, self._what = name, what
        self._read = self.number = 0

    def __next__(self) -> str:
        line = self._stream.readline(MOST_LETTERS + 1)
        if not line:
            raise StopIteration
        self._read += 1
        if len(line) > MOST_LETTERS:
            raise UserError(
                f"{self._name}:{self._read}: expected lines of {self._what}, found one of more "
                f"than {MOST_LETTERS:,} letters"
            )
        if line != "\n":
            self.number = self._read
        return line

    @property
    def at_end(self) -> bool:
        """Whether nothing but blanks follows, which are read."""
        return not any(line.strip() for line in self)


def no_text(content: bytes, name: str, what: str) -> UserError:
    """What to say of bytes that are no UTF-8: the line and the first such byte."""
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return UserError(
            f"{name}:{line}: expected {what} of UTF-8 text, found byte {content[error.start]:#04x}"
        )
    raise AssertionError("the same bytes are text")
