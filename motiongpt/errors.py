"""The one exception whose message is meant for the person at the keyboard."""

from motiongpt.printable import printable

MOST_LETTERS = 1_200  # of a message; a file may hold a name of a megabyte


class UserError(Exception):
    """Bad input: the message is one line that says what is wrong, where, and how to mend it.

    The command line prints it without a traceback and exits with status 2. What the message quotes
    of a file can neither break the line nor steer the terminal, and a long message loses its
    middle.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(shortened(printable(" ".join(str(message).split("\n")))))


def shortened(text: str, most: int = MOST_LETTERS) -> str:
    """`text` without its middle where it is longer than `most` letters."""
    if len(text) <= most:
        return text
    return f"{text[: most * 2 // 3]} […] {text[-(most // 3 - 5) :]}"


def user_error_behind(error: BaseException) -> UserError | None:
    """The `UserError` that `error` is or was caused by: Hydra wraps what constructors raise."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, UserError):
        seen = seen.__cause__ or seen.__context__
    return seen
