"""Which clips of a store are evaluated."""

from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError


def chosen_clips(store: MotionStore, split: str, count: int | None) -> list[int]:
    """Indices of the clips of a split, or of its first `count`.

    Raises:
        UserError: the split is unknown or has none.
    """
    indices = [int(index) for index in store.indices(split)]
    if not indices:
        raise UserError(
            f"the {split} split of {store.name} has no clips to evaluate; choose another with "
            "protocol.split"
        )
    return indices[:count] if count else indices
