"""The data of a result page, read back by the pages that show it beside others."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parent / "page"
"""Where the template, the style and the scripts of a result page lie."""
DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)
FORM = {"skeletons", "body", "clips", "shown", "tasks"}


def read_page(path: Path) -> Mapping[str, Any] | None:
    """What `packed_outputs` gave to the page; None where there is none, or one of another form.

    Pages of earlier versions keep one `sentence` of a clip rather than all that was `said`.
    """
    if not path.is_file():
        return None
    found = DATA.search(path.read_text(encoding="utf-8"))
    if found is None:
        return None
    try:
        data = json.loads(found[1])
    except ValueError:
        return None
    if not isinstance(data, dict) or not data.keys() >= FORM:
        return None
    return data if all("said" in one for one in data["shown"]) else None
