"""Whether a server answers, by one short question: clients of servers may try for most of a minute.

Asked by the standard library: which errors a client raises depends on its version.
"""

import ssl
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from huggingface_hub import constants

PATIENCE_SECONDS = 10.0


def why_unreachable(url: str) -> str:
    """Why nothing answers at `url`; empty if something does, whatever it answers."""
    try:
        urlopen(Request(url, method="HEAD"), timeout=PATIENCE_SECONDS).close()
    except HTTPError:
        return ""
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        # A client may have certificates of its own, which this does not know.
        return "" if isinstance(reason, ssl.SSLError) else str(reason)
    return ""


def hub_is_reachable() -> bool:
    """Whether the Hugging Face hub answers, and may be asked."""
    return not constants.HF_HUB_OFFLINE and not why_unreachable(constants.ENDPOINT)
