"""A split that is a function of the name alone: the same wherever and whenever it is made."""

import hashlib


def split_by_hash(name: str) -> str:
    """80 % train, 5 % val, 15 % test, by the first 32 bits of the SHA-256 of `name`."""
    content = name.encode(errors="surrogateescape")  # a file's name may hold bytes of no UTF-8
    percentile = int(hashlib.sha256(content).hexdigest()[:8], 16) % 100
    if percentile < 80:
        return "train"
    return "val" if percentile < 85 else "test"
