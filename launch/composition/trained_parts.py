"""`${trained_part:RUN,PART}` in a yaml: the folder of a part's weights that a finished run left.

A stage that starts from them is so signed by the weights alone, not by logs or checkpoints of the
run, and wherever the run lies.
"""

from omegaconf import OmegaConf

RESOLVER = "trained_part"


def register() -> None:
    """Make it known to OmegaConf; again is no harm."""
    OmegaConf.register_new_resolver(RESOLVER, trained_part, replace=True)


def trained_part(where: str | None, part: str) -> str | None:
    """Folder of the weights; None where there is no run to start from.

    Args:
        where: a finished run, an experiment's root or a model folder.

    Raises:
        UserError: nothing there that can be opened, or a method without this part.
    """
    if where is None:
        return None
    from motiongpt.api.opening import part_folders  # loads torch, and few ask
    from motiongpt.errors import UserError

    found = part_folders(where)
    if part not in found:
        raise UserError(f"init_from={where}: has no part {part!r}; it has {', '.join(found)}")
    return str(found[part])
