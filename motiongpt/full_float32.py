"""Float32 that is float32 on a GPU too: what is judged or coded there is as on a CPU.

By default torch lets cuDNN's convolutions and recurrent layers cut factors to 10 bits (TF32): a
clip's embedding, or which code is nearest, would then depend on where it was computed. Training
keeps torch's default.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def full_float32() -> Iterator[None]:
    """Within it, or within a function that it decorates, cuDNN multiplies float32 in full."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before
