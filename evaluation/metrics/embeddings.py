"""What the metrics of embeddings share: clips gathered from all processes, checks, distances.

Shape letters: N clips, D width of an embedding, P clips in a pool.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from evaluation.metrics.base import Batch, Embedded, Metric
from evaluation.metrics.positions import ARRIVAL, checked_positions, counted
from motiongpt.errors import UserError

Distances = Callable[[Tensor, Tensor], Tensor]


class EmbeddingMetric(Metric):
    """A metric that keeps every embedding, so that any number of processes gives one number.

    Sums of squares would need less memory but lose digits, and pools and pairs need the clips.

    Args:
        needs: the embeddings that it keeps.
    """

    def __init__(self, *needs: Embedded) -> None:
        super().__init__(*needs, *(f"{name}_positions" for name in needs))
        self.needs = frozenset(needs)

    def update(self, batch: Batch) -> None:
        """Take in the embeddings of some clips; see `Batch.positions` for what counts.

        Raises:
            UserError: one of `needs` is absent, or they are of different numbers of clips.
        """
        for name in sorted(self.needs):
            if name not in batch.embeddings:
                raise self.mistake(
                    f"needs embeddings '{name}', this batch has "
                    f"{', '.join(sorted(batch.embeddings)) or 'none'}; choose an evaluator"
                )
            self.extend_set(name, batch.embeddings[name], batch.positions)

    def extend_set(self, name: Embedded, embeddings: Tensor, positions: Tensor | None) -> None:
        """Keep embeddings (N, ...) of the clips at `positions` (N,) of the split."""
        positions = checked_positions(positions, len(embeddings), self)
        self.extend_list(name, embeddings)
        self.extend_list(f"{name}_positions", positions)

    def gathered_set(self, name: Embedded) -> Tensor:
        """All embeddings of a set, (N, ...) on the CPU, in the order of their positions.

        Checked here and not on arrival, so that all processes stop together.

        Raises:
            UserError: no embeddings, NaN or infinity in one, or positions given for some only.
        """
        embeddings, positions = self.joined_list(name), self.joined_list(f"{name}_positions")
        if embeddings is None or positions is None:
            raise self.mistake(f"has no embeddings '{name}'; call update first")
        finite = embeddings.flatten(1).isfinite().all(1)
        if not finite.all():
            row = int((~finite).int().argmax())
            first = row if positions[row] == ARRIVAL else int(positions[row])
            raise self.mistake(
                f"{int((~finite).sum())} of {len(finite)} embeddings '{name}' are not finite, the "
                f"first is number {first}; mend the motions or the evaluator that made them"
            )
        return embeddings[counted(positions, self)]


def euclidean_distances(rows: Tensor, columns: Tensor) -> Tensor:
    """(..., N, M) float64 distances of (..., N, D) and (..., M, D), from the differences."""
    return torch.cdist(rows.double(), columns.double(), compute_mode="donot_use_mm_for_euclid_dist")


def expanded_distances(rows: Tensor, columns: Tensor) -> Tensor:
    """The same in float32 from |a|² - 2ab + |b|², as the T2M evaluation computes it.

    Rounding may make the square of a small distance negative; its root is then NaN and sorts last.
    """
    rows, columns = rows.float(), columns.float()
    products = rows @ columns.mT
    squares = rows.square().sum(-1)[..., :, None] + columns.square().sum(-1)[..., None, :]
    return (squares - 2 * products).sqrt()


def released_distances(rows: Tensor, columns: Tensor) -> Tensor:
    """As MotionGPT's released code has them: NaN is 0 and ranks first (C8 of the audit)."""
    return expanded_distances(rows, columns).nan_to_num()


DISTANCES: dict[str, Distances] = {
    "euclidean": euclidean_distances,
    "expanded": expanded_distances,
    "released": released_distances,
}


def distances_by_name(name: str) -> Distances:
    """The way to compute distances that a protocol names.

    Raises:
        UserError: there is none; names the valid ones.
    """
    if name not in DISTANCES:
        raise UserError(f"distances {name}: no such way; choose one of {', '.join(DISTANCES)}")
    return DISTANCES[name]
