"""A saved backbone of whichever architecture."""

from pathlib import Path

from motiongpt import backbones
from motiongpt.backbones.base import Backbone
from motiongpt.backbones.folder import read_settings
from motiongpt.errors import UserError
from motiongpt.registry import classes_in


def load_backbone(folder: Path, codebook_size: int | None = None) -> Backbone:
    """Read what `Backbone.save` wrote, whichever architecture it is, to train it further.

    Raises:
        UserError: no saved backbone there, unknown architecture, or another codebook size than
            `codebook_size`, where that is given.
    """
    return _class_of(folder).load(Path(folder), codebook_size)


def load_merged_backbone(folder: Path, codebook_size: int | None = None) -> Backbone:
    """The same, to generate: adapters are merged into the weights that they belong to.

    Raises:
        UserError: as `load_backbone`.
    """
    return _class_of(folder).load_merged(Path(folder), codebook_size)


def _class_of(folder: Path) -> type[Backbone]:
    found = classes_in(backbones, Backbone)  # type: ignore[type-abstract]
    # Whoever has no name is what several share.
    known = {one.architecture: one for one in found.values() if hasattr(one, "architecture")}
    architecture = str(read_settings(Path(folder)).get("architecture"))
    if architecture not in known:
        raise UserError(
            f"{folder} holds a backbone of architecture {architecture}: known are "
            f"{', '.join(sorted(known))}"
        )
    return known[architecture]
