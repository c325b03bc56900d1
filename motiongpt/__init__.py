"""Models of human motion and words: representation, codecs, methods, training.

    from motiongpt import Motion, MotionGPT, load

`import motiongpt` itself loads nothing; these are loaded when they are asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from motiongpt.api.motion import Motion
    from motiongpt.api.motiongpt import MotionGPT, load

__all__ = ["Motion", "MotionGPT", "__version__", "load"]
__version__ = "0.1.0"

_HOMES = {
    "Motion": "motiongpt.api.motion",
    "MotionGPT": "motiongpt.api.motiongpt",
    "load": "motiongpt.api.motiongpt",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
