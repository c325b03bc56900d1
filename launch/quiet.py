"""Less of what libraries say of themselves; and whatever is said can be printed."""

import io
import logging
import sys
import warnings


def quiet() -> None:
    """Silence what libraries say of themselves: nobody who runs an experiment can act on it."""
    warnings.filterwarnings("ignore", message="The pynvml package is deprecated")
    warnings.filterwarnings("ignore", message=".*does not have many workers")
    warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec")
    warnings.filterwarnings("ignore", message="The `srun` command is available")
    for name in ("lightning.pytorch", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.WARNING)


def never_fail_to_print() -> None:
    """File names may hold bytes that are no UTF-8, and terminals may know ASCII only."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
