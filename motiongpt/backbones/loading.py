"""A saved backbone of whichever architecture."""

from pathlib import Path

from motiongpt.backbones.base import Backbone
from motiongpt.backbones.folder import read_settings
from motiongpt.backbones.gpt2 import GPT2Backbone
from motiongpt.backbones.t5 import T5Backbone
from motiongpt.errors import UserError

ARCHITECTURES: dict[str, type[Backbone]] = {
    backbone.architecture: backbone for backbone in (T5Backbone, GPT2Backbone)
}


def load_backbone(folder: Path, codebook_size: int | None = None) -> Backbone:
    """Read what `Backbone.save` wrote, whichever architecture it is.

    Raises:
        UserError: no saved backbone there, unknown architecture, or another codebook size than
            `codebook_size`, where that is given.
    """
    architecture = read_settings(Path(folder)).get("architecture")
    if architecture not in ARCHITECTURES:
        raise UserError(
            f"{folder} holds a backbone of architecture {architecture}: known are "
            f"{', '.join(ARCHITECTURES)}"
        )
    return ARCHITECTURES[architecture].load(Path(folder), codebook_size)
