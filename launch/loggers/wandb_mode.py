"""Whether W&B logs online, offline or not at all."""

import os

from motiongpt.errors import UserError

MODES = {
    "online": "online",
    "run": "online",
    "offline": "offline",
    "dryrun": "offline",
    "disabled": "disabled",
}
"""Values of WANDB_MODE, and what they mean."""


def wandb_mode(wanted: str) -> str:
    """online, offline or disabled: what W&B's variables say, else `wanted`.

    Raises:
        UserError: WANDB_MODE has a value that W&B does not know.
    """
    if os.environ.get("WANDB_DISABLED", "").lower() in ("1", "true", "yes", "on"):
        return "disabled"
    mode = os.environ.get("WANDB_MODE", "").strip().lower() or wanted
    if mode not in MODES:
        raise UserError(f"WANDB_MODE={mode}: no such mode; valid: {', '.join(MODES)}")
    return MODES[mode]
