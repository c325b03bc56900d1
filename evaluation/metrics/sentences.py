"""Sentences as tensors, so that processes can gather them: bytes end to end, and their lengths.

Shape letters: N rows, K sentences of each.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

# Text read from JSON may hold halves of a surrogate pair, which strict UTF-8 refuses.
ERRORS = "surrogatepass"


def sentences_to_tensors(rows: Sequence[Sequence[str]], width: int) -> tuple[Tensor, Tensor]:
    """Bytes (sum of lengths,) uint8 and lengths (N, K) int64 of K = `width` sentences each."""
    encoded = [[sentence.encode("utf-8", ERRORS) for sentence in row] for row in rows]
    joined = b"".join(part for row in encoded for part in row)
    lengths = [[len(part) for part in row] for row in encoded]
    return (
        torch.from_numpy(np.frombuffer(joined, np.uint8).copy()),
        torch.tensor(lengths, dtype=torch.int64).view(len(rows), width),
    )


def tensors_to_sentences(content: Tensor, lengths: Tensor) -> list[list[str]]:
    """What `sentences_to_tensors` was given, also if several results were joined."""
    joined = content.numpy().tobytes()
    ends = lengths.flatten().cumsum(0).tolist()
    found = [joined[start:end].decode("utf-8", ERRORS) for start, end in pairwise([0, *ends])]
    width = lengths.shape[1]
    return [found[first : first + width] for first in range(0, len(found), width)]
