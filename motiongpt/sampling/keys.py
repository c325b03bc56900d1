"""Keys of sampled rows; `motiongpt.sampling.rng` gives the row with a key its random numbers."""

import hashlib


def row_key(*parts: object) -> int:
    """A 63-bit key that depends on all `parts` and nothing else."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
