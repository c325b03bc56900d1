"""What the metrics of embeddings share: clips gathered from all processes, checks, distances.

Shape letters: N clips, D width of an embedding, P clips in a pool.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from motiongpt.errors import UserError

Distances = Callable[[Tensor, Tensor], Tensor]
ARRIVAL = -1  # the place of an embedding that came without one


class EmbeddingMetric(Metric):
    """A metric that keeps every embedding, so that any number of processes gives one number.

    Sums of squares would need less memory but lose digits, and pools and pairs need the clips.
    Every process must have seen at least one clip before `compute`.
    """

    full_state_update = False
    is_differentiable = False

    def add_set(self, name: str) -> None:
        """Make room for one set of embeddings and the places of its clips."""
        self.add_state(name, [], dist_reduce_fx="cat")
        self.add_state(f"{name}_places", [], dist_reduce_fx="cat")

    def extend_set(self, name: str, embeddings: Tensor, places: Tensor | None) -> None:
        """Add embeddings (N, ...) of the clips at `places` (N,) of the split.

        With places, the result is the same whatever the processes and whatever they repeat to
        fill a batch: clips are sorted by place and the second copy of one is dropped. Without
        (None), every row counts, in order of arrival.
        """
        if places is None:
            places = torch.full((len(embeddings),), ARRIVAL)
        if len(places) != len(embeddings):
            raise UserError(
                f"{self.__class__.__name__} got {len(places)} places for {len(embeddings)} "
                "embeddings; give each clip its place"
            )
        getattr(self, name).append(embeddings.detach())
        getattr(self, f"{name}_places").append(places.to(embeddings.device))

    def gathered_set(self, name: str) -> Tensor:
        """All embeddings of a set, (N, ...) on the CPU, in the order of their places.

        Checked here and not on arrival, so that all processes stop together.

        Raises:
            UserError: no embeddings, NaN or infinity in one, or places given for some only.
        """
        if not len(getattr(self, name)):
            raise UserError(f"{self.__class__.__name__} has no {name}: call update first")
        embeddings = dim_zero_cat(getattr(self, name)).cpu()
        places = dim_zero_cat(getattr(self, f"{name}_places")).cpu().numpy()
        finite = embeddings.flatten(1).isfinite().all(1)
        if not finite.all():
            row = int((~finite).int().argmax())
            first = row if places[row] == ARRIVAL else places[row]
            raise UserError(
                f"{self.__class__.__name__}: {int((~finite).sum())} of {len(finite)} {name} are "
                f"not finite, the first is number {first}; mend the motions or the evaluator that "
                "made them"
            )
        if (places == ARRIVAL).all():
            return embeddings
        if (places == ARRIVAL).any():
            raise UserError(
                f"{self.__class__.__name__}: some {name} came with places and some without; "
                "give places in every update or in none"
            )
        return embeddings[torch.from_numpy(np.unique(places, return_index=True)[1])]


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
