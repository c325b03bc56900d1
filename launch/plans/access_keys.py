"""Access keys have no business in a configuration: runs, sweeps and loggers keep all of it."""

import re
from collections.abc import Mapping
from typing import Any

from motiongpt.errors import UserError

ACCESS_KEY = re.compile(r"(^|_)(api_?key|token|password|secret)$", re.IGNORECASE)


def check_no_access_key(settings: Any, path: str) -> None:
    """Return if no field of `settings` (plain containers) is called like an access key and set.

    Args:
        path: of `settings`, for what is said.

    Raises:
        UserError: names the field, not its value.
    """
    if isinstance(settings, Mapping):
        for name, value in settings.items():
            if ACCESS_KEY.search(str(name)) and value:
                raise UserError(
                    f"{path}.{name}: an access key in the configuration would lie in the files of "
                    "every run; leave it out, and set WANDB_API_KEY or call `wandb login` once"
                )
            check_no_access_key(value, f"{path}.{name}")
    elif isinstance(settings, list | tuple):
        for index, value in enumerate(settings):
            check_no_access_key(value, f"{path}.{index}")
