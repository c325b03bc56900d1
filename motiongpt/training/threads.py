"""CPU threads of a stage: as many as its hardware says, and afterwards as many as before."""

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def cpu_threads(count: int | None) -> Iterator[None]:
    """Have torch compute with `count` threads for a while; None leaves torch's own choice.

    The number is of the whole process: what one stage sets would else be the next one's.
    """
    import torch  # where a stage runs, not where it is planned

    before = torch.get_num_threads()
    if count:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
