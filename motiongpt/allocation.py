"""Memory that the C library hands back to the system at every step, to ask for it again."""

import ctypes
import platform

LARGEST_KEPT_BLOCK = 32 * 2**20  # bytes; the most that glibc takes for its mmap threshold
KEPT_FREE = 2**30  # bytes that stay with the process when they are freed
# Of mallopt(3), malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


def keep_freed_memory() -> bool:
    """Have glibc keep freed memory for what is allocated next; for the rest of the process.

    A training step on a CPU allocates and frees some thousand tensors. By default the system takes
    many of these pages back and has to fill them with zeros for the next tensor, a fifth of a
    step's time on a virtual machine. Changes no result.

    It is a setting of the process, so it is for programs to choose: training and the command line
    do; opening a model does not unless it is told `keep_memory=True`.

    Returns:
        Whether it was done: only where the C library is glibc.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)
    kept = library.mallopt(_MMAP_THRESHOLD, LARGEST_KEPT_BLOCK)
    return bool(library.mallopt(_TRIM_THRESHOLD, KEPT_FREE) and kept)
