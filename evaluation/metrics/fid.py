"""Fréchet distance between embeddings of real and of generated motion (FID).

Source: Heusel et al. (2017); on motion embeddings Guo et al. (2022).
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from evaluation.metrics.base import MOTIONS, Batch, Kind
from evaluation.metrics.embeddings import EmbeddingMetric
from evaluation.metrics.numbers import Number, Size
from motiongpt.errors import UserError


class Gaussian(NamedTuple):
    """Mean (D,) and covariance (D, D) of embeddings, float64."""

    mean: Tensor
    covariance: Tensor


class FrechetDistance(EmbeddingMetric):
    """FID of the generated clips against the real ones.

    A batch may hold both or one of them, so that the two sets may differ in size.
    """

    numbers: Mapping[str, Number] = {"fid": Number()}
    kinds: frozenset[Kind] = MOTIONS
    compares_sets = True

    def __init__(self) -> None:
        super().__init__("motion", "reference")

    def shortage(self, size: Size) -> str:
        """See `Metric.shortage`."""
        return _too_few(size.clips)

    def update(self, batch: Batch) -> None:
        """Take in whichever of motions and references a batch holds.

        Raises:
            UserError: neither.
        """
        held = sorted(self.needs & batch.embeddings.keys())
        if not held:
            return super().update(batch)
        for name in held:
            self.extend_set(name, batch.embeddings[name], batch.positions)

    def compute(self) -> dict[str, Tensor]:
        """One number over all clips.

        Raises:
            UserError: a set is not finite or has fewer than 2 clips.
        """
        real, generated = (
            fit_gaussian(self.gathered_set("reference")),
            fit_gaussian(self.gathered_set("motion")),
        )
        return {"fid": frechet_distance(real, generated)}


def fit_gaussian(embeddings: Tensor) -> Gaussian:
    """Mean and unbiased covariance of embeddings (N, D), in float64.

    Raises:
        UserError: fewer than 2 clips.
    """
    if short := _too_few(len(embeddings)):
        raise UserError(short)
    embeddings = embeddings.double()
    return Gaussian(embeddings.mean(0), torch.atleast_2d(torch.cov(embeddings.T)))


def _too_few(clips: int) -> str:
    if clips >= 2:
        return ""
    return f"FID needs at least 2 clips in each set, this one has {clips}; evaluate more clips"


def frechet_distance(one: Gaussian, other: Gaussian) -> Tensor:
    """|m1 - m2|² + tr C1 + tr C2 - 2 tr √(C1 C2), a float64 scalar.

    tr √(C1 C2) is the sum of the singular values of √C1 √C2, with each root from the eigenvalues
    of a symmetric matrix. No root of a product that is not symmetric is taken, so singular
    covariances (fewer clips than D) cost no digits.
    """
    roots = symmetric_root(one.covariance), symmetric_root(other.covariance)
    overlap = torch.linalg.svdvals(roots[0] @ roots[1]).sum()
    spread = one.covariance.trace() + other.covariance.trace() - 2 * overlap
    return ((one.mean - other.mean).square().sum() + spread).clamp_min(0)


def symmetric_root(matrix: Tensor) -> Tensor:
    """Square root of a symmetric positive semidefinite (D, D).

    Eigenvalues that rounding cannot tell from 0 count as 0: the root of 1e-16 is 1e-8.
    """
    values, vectors = torch.linalg.eigh(matrix)
    smallest = len(values) * torch.finfo(values.dtype).eps * values[-1].clamp_min(0)
    values = torch.where(values > smallest, values, 0)
    return (vectors * values.sqrt()) @ vectors.T
