"""Trying for a number: one metric's trouble costs no other number."""

from collections.abc import Callable
from typing import TypeVar

import torch

from motiongpt.errors import UserError

UNJUDGEABLE = (UserError, ValueError, ArithmeticError, LookupError, torch.linalg.LinAlgError)
"""What metrics, evaluators and caption packages raise of outputs that they can't judge. Anything
else, such as a full disk or memory, ends the stage: trying again may help."""

Found = TypeVar("Found")


def attempted(compute: Callable[[], Found]) -> tuple[Found | None, str]:
    """What `compute` gives and no reason; or None, and why there is nothing."""
    try:
        return compute(), ""
    except UNJUDGEABLE as error:
        said = " ".join(str(error).split())
        return None, said if isinstance(error, UserError) else f"{type(error).__name__}: {said}"
