"""Motions to one HTML page: whole, or with its programs in a folder beside it.

The page asks no other host for anything and its policy forbids it to; what is shown as words is
text, and no script runs but those whose hashes the policy names.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from motiongpt.bodies.free_body import FreeBody
from motiongpt.errors import UserError
from motiongpt.files import write_text
from motiongpt.render.shown import Shown
from motiongpt.viewer.body import packed_body
from motiongpt.viewer.clips import packed_clips, packed_skeleton
from motiongpt.viewer.html import (
    NOTHING_ELSE,
    PAGE,
    in_script,
    one_program,
    readable,
    rendered,
    self_contained,
)

THREE = PAGE.parent / "three" / "three.bundle.js"
# In the order in which they need each other.
PARTS = ("arrays", "body", "clip", "sticks", "ground", "stage", "cell", "view", "player")
START = PAGE / "start.js"
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
    data = packed_motions(motions, choices, mesh) | {"body": packed_body(mesh) if mesh else None}
    return _rendered(title, data, *self_contained(viewer_scripts(START)))


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
    data = packed_motions(motions, choices, body) | {"body": None}
    three, program = viewer_scripts(START)
    shared = {"three": three}
    if body is not None:
        shared["body"] = f"{BODY} = {in_script(packed_body(body))};\n"
    shared["viewer"] = program
    names = _write_shared(path.parent / assets, shared)
    tags = [f'<script src="{assets}/{name}"></script>' for name in names]
    policy = f"{NOTHING_ELSE}; script-src 'self' file:"
    write_text(path, _rendered(title, data, policy, tags))


def packed_motions(
    motions: Sequence[Shown], choices: Choices, body: FreeBody | None
) -> dict[str, object]:
    """What the viewer's scripts read of motions; `body` None for stick figures.

    Raises:
        UserError: no motion, or given frames that a motion does not have.
    """
    if not motions:
        raise UserError("a page of no motion; give at least one")
    skeletons = {one.motion.skeleton.name: one.motion.skeleton for one in motions}
    return {
        "choices": asdict(choices),
        "skeletons": {name: packed_skeleton(one) for name, one in skeletons.items()},
        "clips": packed_clips(motions, body),
    }


def viewer_scripts(*starters: Path) -> list[str]:
    """Three.js, and a program: the viewer's parts, then the files that put them up on a page."""
    parts = [PAGE / f"{name}.js" for name in PARTS]
    return [readable(THREE), one_program([*parts, *starters])]


def _rendered(title: str, data: Mapping[str, object], policy: str, scripts: Sequence[str]) -> str:
    style = readable(PAGE / "style.css")
    return rendered(PAGE / "page.html", title, style, data, policy, scripts)


def _write_shared(folder: Path, files: Mapping[str, str]) -> list[str]:
    names = []
    for name, content in files.items():
        mark = hashlib.sha256(content.encode()).hexdigest()[:10]
        names.append(f"{name}.{mark}.js")
        if not (folder / names[-1]).exists():
            write_text(folder / names[-1], content)
    return names
