"""No hub for a test: as with HF_HUB_OFFLINE=1, which is read when its packages are imported."""

import pytest


def offline(patch: pytest.MonkeyPatch) -> None:
    """Have huggingface_hub and transformers ask no host, and not try it again for seconds."""
    patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    patch.setattr(
        "transformers.utils.hub._is_offline_mode", True, raising=False
    )  # version 4's copy
