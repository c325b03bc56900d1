"""Whether the Hugging Face hub answers: its own client tries for most of a minute to find out."""

from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from huggingface_hub import constants

TIMEOUT_SECONDS = 10.0


def hub_is_reachable() -> bool:
    """Whether one short question to the hub's address is answered, whatever the answer.

    Asked by the standard library: which errors the hub's client raises depends on its version.
    """
    if constants.HF_HUB_OFFLINE:
        return False
    try:
        with urlopen(Request(constants.ENDPOINT, method="HEAD"), timeout=TIMEOUT_SECONDS):
            return True
    except HTTPError:
        return True
    except (OSError, HTTPException):
        return False
