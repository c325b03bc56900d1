"""What training hides of a row of codes, and which codebook it asks for.

Shapes: n codes of one row; … any.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from motiongpt.errors import UserError

IGNORED = -100
"""Label of a position that is no target; cross entropy leaves it out."""


class Masked(NamedTuple):
    """A row as the network sees it.

    Attributes:
        inputs: (n,) int64 ids.
        labels: (n,) int64 codes of the targets, `IGNORED` elsewhere.
    """

    inputs: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Masking:
    """How many codes of a row become targets, and what is read in their place.

    A share cos(pi u / 2) of the codes, u uniform, are targets (MoMask, section 3.2).

    Attributes:
        of_padded: whether the share is of the longest row, so that short ones get fewer targets,
            perhaps none, as released; else of the row's own codes.
        rounds_up: whether it is rounded up, as in the paper; else to the nearest.
        random: share of the targets in whose place any code is read.
        masked: share of the other targets in whose place the mask is read; the rest stay.
    """

    of_padded: bool
    rounds_up: bool
    random: float
    masked: float

    def count(self, uniform: np.ndarray | float, length: np.ndarray | int) -> np.ndarray:
        """How many of `length` (…) codes are targets; `uniform` (…) in [0, 1)."""
        exact = np.cos(np.float32(np.pi / 2) * np.float32(uniform)) * np.asarray(length)
        whole = np.ceil(exact) if self.rounds_up else np.round(exact)
        found: np.ndarray = np.maximum(whole, 1).astype(np.int64)
        return found

    def row(
        self, codes: np.ndarray, codebook_size: int, longest: int, rng: np.random.Generator
    ) -> Masked:
        """One row of training, of codes (n,); `longest` is that of the longest row."""
        length = longest if self.of_padded else len(codes)
        targets = lowest(rng.random(length), self.count(rng.random(), length))[: len(codes)]
        random, masked = (rng.random(len(codes)) < share for share in (self.random, self.masked))
        others = rng.integers(codebook_size, size=len(codes))
        return masked_row(codes, targets, random, others, masked, codebook_size)


PAPER = Masking(of_padded=False, rounds_up=True, random=0.1, masked=8 / 9)
"""Of the targets 80 % read as the mask, 10 % as any code, 10 % as they are, as BERT has them."""
RELEASED = Masking(of_padded=True, rounds_up=False, random=0.1, masked=0.88)
MASKINGS = {"paper": PAPER, "released": RELEASED}
UNIFORM, EARLY = "uniform", "early"


def masking_by_name(name: str) -> Masking:
    """The masking called `name`.

    Raises:
        UserError: unknown name; the valid ones are listed.
    """
    if name not in MASKINGS:
        raise UserError(f"stage.momask.masking={name}; choose one of: {', '.join(MASKINGS)}")
    return MASKINGS[name]


def lowest(uniforms: np.ndarray, count: np.ndarray | int) -> np.ndarray:
    """(…, n) bool: the positions that a random order puts before `count` (…).

    As released: the order of the positions by their uniform numbers (…, n) is compared with the
    count position by position.
    """
    found: np.ndarray = uniforms.argsort(-1) < np.asarray(count)[..., None]
    return found


def masked_row(
    codes: np.ndarray,
    targets: np.ndarray,
    random: np.ndarray,
    others: np.ndarray,
    masked: np.ndarray,
    mask: int,
) -> Masked:
    """What is read in the place of the targets, all of one shape (…, n).

    Args:
        random: where a target is read as `others`.
        masked: where another target is read as `mask`.
    """
    inputs = np.where(targets & random, others, codes)
    inputs = np.where(targets & masked & ~random, mask, inputs)
    return Masked(inputs, np.where(targets, codes, IGNORED))


def drawn_codebook(uniform: np.ndarray | float, codebooks: int, choice: str) -> np.ndarray:
    """Which codebook (…), 1 … codebooks - 1, a row of the residual transformer is about.

    Args:
        uniform: (…) in [0, 1).
        choice: "uniform", or "early": the first ones are likelier, as released.
    """
    last = codebooks - 2
    if choice == EARLY:
        share = 1 - np.cos(np.float32(np.pi / 2) * np.asarray(uniform, np.float32))
        found: np.ndarray = 1 + np.round(share * last).astype(np.int64)
        return found
    return 1 + np.floor(np.asarray(uniform) * (last + 1)).astype(np.int64)
