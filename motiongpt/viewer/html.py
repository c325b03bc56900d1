"""What pages for the browser have in common: their own scripts, and a policy that forbids others.

A page asks no other host for anything; what is shown as words is text, and no script runs but those
whose hashes the policy names.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

NOTHING_ELSE = "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:"
PAGE = Path(__file__).parent / "page"
"""The viewer's own scripts; other pages take of them what they need."""


def self_contained(scripts: Sequence[str]) -> tuple[str, list[str]]:
    """Policy and tags of a page that holds its scripts itself."""
    hashes = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts)
    tags = [f"<script>{script}</script>" for script in scripts]
    return f"{NOTHING_ELSE}; script-src {hashes}", tags


def one_program(files: Sequence[Path]) -> str:
    """Scripts one after the other, in the order in which they need each other.

    Their names leave the page's alone.
    """
    parts = [readable(file) for file in files]
    return "(() => {\n" + '"use strict";\n' + "\n".join(parts) + "})();\n"


def rendered(
    template: Path,
    title: str,
    style: str,
    data: Mapping[str, object],
    policy: str,
    scripts: Sequence[str],
    **more: object,
) -> str:
    """A page of a template, which has `title`, `style`, `policy`, `data`, `scripts` and `more`.

    It may include the viewer's `bar.html`, with which motion is played.
    """
    pages = Environment(
        loader=FileSystemLoader([template.parent, PAGE]), autoescape=True, undefined=StrictUndefined
    )
    return pages.get_template(template.name).render(
        title=title,
        policy=Markup(policy),
        style=Markup(style),
        data=Markup(in_script(data)),
        scripts=Markup("\n".join(scripts)),
        **more,
    )


def in_script(data: Mapping[str, object]) -> str:
    """JSON within a script: no letter of it can end the script or open a comment."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@cache
def readable(path: Path) -> str:
    """Text of one of the package's own files."""
    return path.read_text(encoding="utf-8")


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
