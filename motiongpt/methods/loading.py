"""A trained method of whichever kind, by its name."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motiongpt import methods
from motiongpt.errors import UserError
from motiongpt.methods.base import Method, MotionFormat
from motiongpt.registry import classes_in

if TYPE_CHECKING:
    import torch


def known_methods() -> dict[str, type[Method]]:
    """Every method by name; a new one is a new folder."""
    found = classes_in(methods, Method)  # type: ignore[type-abstract]
    return {kind.name: kind for kind in found.values()}


def load_method(
    name: str,
    folders: Mapping[str, Path],
    format: MotionFormat,
    device: "str | torch.device" = "cpu",
    **options: Any,
) -> Method:
    """Open the parts of a trained method.

    Raises:
        UserError: no such method, or a part is missing or damaged.
    """
    known = known_methods()
    if name not in known:
        raise UserError(
            f"method {name}: no such method that generates; known: {', '.join(sorted(known))}"
        )
    return known[name].load(folders, format, device, **options)
