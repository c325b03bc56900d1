"""The one exception whose message is meant for the person at the keyboard."""


class UserError(Exception):
    """Bad input: the message is one line that says what is wrong, where, and how to mend it.

    The command line prints it without a traceback and exits with status 2.
    """


def user_error_behind(error: BaseException) -> UserError | None:
    """The `UserError` that `error` is or was caused by: Hydra wraps what constructors raise."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, UserError):
        seen = seen.__cause__ or seen.__context__
    return seen
