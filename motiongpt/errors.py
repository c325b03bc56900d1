"""The one exception whose message is meant for the person at the keyboard."""


class UserError(Exception):
    """Bad input: the message is one line that says what is wrong, where, and how to mend it.

    The command line prints it without a traceback and exits with status 2.
    """
