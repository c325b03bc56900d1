"""Motions to one HTML page: whole, or with its programs in a folder beside it.

The page asks no other host for anything and its policy forbids it to; what is shown as words is
text, and no script runs but those whose hashes the policy names.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from motiongpt.bodies.free_body import FreeBody
from motiongpt.errors import UserError
from motiongpt.files import write_text
from motiongpt.render.shown import Shown
from motiongpt.viewer.body import packed_body
from motiongpt.viewer.clips import packed_clip, packed_skeleton

HERE = Path(__file__).parent
THREE = HERE / "three" / "three.bundle.js"
# In the order in which they need each other.
PARTS = ("arrays", "body", "clip", "sticks", "ground", "stage", "cell", "view", "player", "start")
NOTHING_ELSE = "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:"
BODY = "window.MOTION_VIEWER_BODY"


@dataclass(frozen=True)
class Choices:
    """How a page starts; all of it can be changed on the page.

    Attributes:
        mesh: the skinned body rather than sticks; only HumanML3D's joints wear it.
        follow: the view walks along; None where people would be small otherwise.
        play: whether it plays at once.
    """

    mesh: bool = True
    follow: bool | None = None
    trail: bool = True
    contacts: bool = True
    loop: bool = True
    play: bool = True


def viewer_page(
    motions: Sequence[Shown],
    title: str,
    choices: Choices = Choices(),
    body: FreeBody | None = None,
) -> str:
    """The HTML of a page that needs nothing but itself.

    Args:
        body: the mesh; None for the free body of average build.

    Raises:
        UserError: no motion, or given frames that a motion does not have.
    """
    mesh = (body or FreeBody()) if choices.mesh else None
    data = _data(motions, choices, mesh) | {"body": packed_body(mesh) if mesh else None}
    scripts = [_readable(THREE), _program()]
    hashes = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts)
    tags = [f"<script>{script}</script>" for script in scripts]
    return _rendered(title, data, f"{NOTHING_ELSE}; script-src {hashes}", tags)


def write_shared_page(
    path: Path,
    motions: Sequence[Shown],
    title: str,
    choices: Choices = Choices(),
    assets: str = "motion_viewer",
) -> None:
    """Write a page, and beside it, once for all pages of its folder, what they have in common.

    Args:
        assets: name of the folder beside the page. Its files are named by what is in them, so that
            pages of different versions can share it.

    Raises:
        UserError: as `viewer_page`.
    """
    body = FreeBody() if choices.mesh else None
    data = _data(motions, choices, body) | {"body": None}
    shared = {"three": _readable(THREE)}
    if body is not None:
        shared["body"] = f"{BODY} = {_json(packed_body(body))};\n"
    shared["viewer"] = _program()
    names = _write_shared(path.parent / assets, shared)
    tags = [f'<script src="{assets}/{name}"></script>' for name in names]
    policy = f"{NOTHING_ELSE}; script-src 'self' file:"
    write_text(path, _rendered(title, data, policy, tags))


def _data(motions: Sequence[Shown], choices: Choices, body: FreeBody | None) -> dict[str, object]:
    if not motions:
        raise UserError("a page of no motion; give at least one")
    skeletons = {one.motion.skeleton.name: one.motion.skeleton for one in motions}
    return {
        "choices": asdict(choices),
        "skeletons": {name: packed_skeleton(one) for name, one in skeletons.items()},
        "clips": [packed_clip(one, body) for one in motions],
    }


def _rendered(title: str, data: Mapping[str, object], policy: str, scripts: Sequence[str]) -> str:
    pages = Environment(
        loader=FileSystemLoader(HERE / "page"), autoescape=True, undefined=StrictUndefined
    )
    return pages.get_template("page.html").render(
        title=title,
        policy=Markup(policy),
        style=Markup(_readable(HERE / "page" / "style.css")),
        motions=Markup(_json(data)),
        scripts=Markup("\n".join(scripts)),
    )


def _write_shared(folder: Path, files: Mapping[str, str]) -> list[str]:
    names = []
    for name, content in files.items():
        mark = hashlib.sha256(content.encode()).hexdigest()[:10]
        names.append(f"{name}.{mark}.js")
        if not (folder / names[-1]).exists():
            write_text(folder / names[-1], content)
    return names


@cache
def _program() -> str:
    """Our own scripts, one after the other, with names that leave the page's alone."""
    parts = [_readable(HERE / "page" / f"{name}.js") for name in PARTS]
    return "(() => {\n" + '"use strict";\n' + "\n".join(parts) + "})();\n"


@cache
def _readable(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _json(data: Mapping[str, object]) -> str:
    """JSON within a script: no letter of it can end the script or open a comment."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
