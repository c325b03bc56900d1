"""Text of unknown origin as a terminal and a UTF-8 file can take it."""


def printable(text: str, keep: str = "") -> str:
    r"""`text` with what has no shape of its own written as an escape: `caf\udce9`, `\x1b[31m`.

    That is control characters (a terminal obeys them), separators other than the space, marks that
    turn the direction of writing, and the lone surrogates by which Python holds the bytes of a
    file name that is not UTF-8. Applied twice it changes nothing more.

    Args:
        keep: characters that stay as they are, as line ends.
    """
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() or one in keep else one.encode("unicode_escape").decode()
        for one in text
    )
