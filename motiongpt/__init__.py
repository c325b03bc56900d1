"""Motion as a language: representation, tokenizers, backbones, tasks, training, generation.

    from motiongpt import Motion, MotionGPT

`import motiongpt` itself loads nothing; these two are loaded when they are asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from motiongpt.api.model import MotionGPT
    from motiongpt.api.motion import Motion

__all__ = ["Motion", "MotionGPT", "__version__"]
__version__ = "0.1.0"

_HOMES = {"Motion": "motiongpt.api.motion", "MotionGPT": "motiongpt.api.model"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
