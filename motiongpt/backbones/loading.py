"""A saved backbone of whichever architecture."""

from pathlib import Path

from motiongpt import backbones
from motiongpt.backbones.base import Backbone
from motiongpt.backbones.folder import read_settings
from motiongpt.errors import UserError
from motiongpt.registry import classes_in


def load_backbone(folder: Path, codebook_size: int | None = None) -> Backbone:
    """Read what `Backbone.save` wrote, whichever architecture it is.

    Raises:
        UserError: no saved backbone there, unknown architecture, or another codebook size than
            `codebook_size`, where that is given.
    """
    found = classes_in(backbones, Backbone)  # type: ignore[type-abstract]
    known = {one.architecture: one for one in found.values()}
    architecture = str(read_settings(Path(folder)).get("architecture"))
    if architecture not in known:
        raise UserError(
            f"{folder} holds a backbone of architecture {architecture}: known are "
            f"{', '.join(sorted(known))}"
        )
    return known[architecture].load(Path(folder), codebook_size)
