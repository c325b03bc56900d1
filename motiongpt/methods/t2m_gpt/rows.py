"""Rows of codes as the transformer is trained on them, and its loss.

Shape letters: B batch, n codes of a row, N block size, T inputs of a row, V codes of the codebook.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

DROP_PROBABILITY = 1 / 3
"""How often a released row lost a token; as often its first as its last."""


class Row(NamedTuple):
    """One training example.

    Attributes:
        text: (X,) float32 features of its caption.
        codes: (n,) int64, what is to be generated, the stop left out.
        inputs: (n,) int64, the same after corruption: what is read.
    """

    text: Tensor
    codes: np.ndarray
    inputs: np.ndarray


class RowBatch(NamedTuple):
    """Rows padded to the longest of them.

    Attributes:
        text: (B, X) float32.
        inputs: (B, T) int64; T is the number of codes of the longest row.
        targets: (B, T + 1) int64: codes, the stop, then pads.
        lengths: (B,) int64, n + 1: codes and the stop.
        counted: the sum of `lengths`, known without asking the device.
    """

    text: Tensor
    inputs: Tensor
    targets: Tensor
    lengths: Tensor
    counted: int


class RowMeans(NamedTuple):
    """What a batch's logits are worth.

    Attributes:
        loss: scalar, nats: the mean over rows of the mean over a row's codes and stop.
        losses: (B,) of each row.
        hits: scalar int64, positions whose likeliest id is right.
    """

    loss: Tensor
    losses: Tensor
    hits: Tensor


def drop_token(codes: np.ndarray, last: bool) -> np.ndarray:
    """Codes (n,) without their last or their first."""
    return codes[:-1] if last else codes[1:]


def drop_at_random(codes: np.ndarray, probability: float, rng: np.random.Generator) -> np.ndarray:
    """Codes (n,) that perhaps lack their first or last; one code alone is kept.

    So that one caption is seen with ends at different phases of the tokens.
    """
    drawn, last = rng.random(), bool(rng.integers(2))
    return drop_token(codes, last) if drawn < probability and len(codes) > 1 else codes


def target_row(codes: np.ndarray, length: int, stop: int, pad: int) -> np.ndarray:
    """(length,) int64: codes (n,), the stop, pads; (n + 1,) where that is longer."""
    row = np.full(max(length, len(codes) + 1), pad, np.int64)
    row[: len(codes)] = codes
    row[len(codes)] = stop
    return row


def corrupted(inputs: np.ndarray, keep: np.ndarray, replacements: np.ndarray) -> np.ndarray:
    """Inputs where `keep`, else replacements; all of one shape, int64 but for the bool `keep`."""
    return np.where(keep, inputs, replacements)


def corrupt_at_random(
    inputs: np.ndarray, keep_probability: float, codebook_size: int, rng: np.random.Generator
) -> np.ndarray:
    """Inputs (n,), each replaced by any code, its own too, unless kept (section 3.2 of the paper).

    At generation the inputs are the network's own choices; in training they would all be right.
    """
    keep = rng.random(inputs.shape) < keep_probability
    return corrupted(inputs, keep, rng.integers(codebook_size, size=inputs.shape))


def collate(rows: Sequence[Row], stop: int, pad: int) -> RowBatch:
    """Rows as a batch. The released code pads to the block size; no loss sees the difference."""
    longest = max(len(row.codes) for row in rows)
    inputs = np.full((len(rows), longest), pad, np.int64)
    for index, row in enumerate(rows):
        inputs[index, : len(row.inputs)] = row.inputs
    targets = np.stack([target_row(row.codes, longest + 1, stop, pad) for row in rows])
    lengths = torch.tensor([len(row.codes) + 1 for row in rows])
    return RowBatch(
        torch.stack([row.text for row in rows]),
        torch.from_numpy(inputs),
        torch.from_numpy(targets),
        lengths,
        int(lengths.sum()),
    )


def row_means(logits: Tensor, targets: Tensor, lengths: Tensor) -> RowMeans:
    """Loss and hits of logits (B, T + 1, V + 1), targets (B, T + 1) and lengths (B,), as above.

    Every row weighs the same, whatever its length; what lies beyond its stop never counts.
    """
    counted = torch.arange(targets.shape[1], device=targets.device) < lengths[:, None]
    wanted = targets.masked_fill(~counted, -1)
    losses = F.cross_entropy(
        logits.flatten(0, 1), wanted.flatten(), ignore_index=-1, reduction="none"
    )
    of_rows = losses.view_as(targets).sum(1) / lengths
    hits = (logits.argmax(-1) == wanted).sum()
    return RowMeans(of_rows.mean(), of_rows, hits)
