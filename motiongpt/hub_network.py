"""Whether the Hugging Face hub answers: its own client tries for most of a minute to find out."""

from huggingface_hub import constants
from huggingface_hub.utils import get_session

TIMEOUT_SECONDS = 10.0


def hub_is_reachable() -> bool:
    """Whether one short question to the hub's address is answered, whatever the answer."""
    if constants.HF_HUB_OFFLINE:
        return False
    try:
        get_session().head(constants.ENDPOINT, timeout=TIMEOUT_SECONDS)
    except OSError:
        return False
    return True
