"""A film of the free body by Blender's Cycles: slower than ours, with real light."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from motiongpt.blender import find_blender, run_blender
from motiongpt.bodies.free_body import FreeBody
from motiongpt.render.camera import AXES
from motiongpt.render.film import Film
from motiongpt.render.scene import Scene, film_colours
from motiongpt.render.shown import Shown

SCRIPT = Path(__file__).parent / "blender_script.py"
SECONDS_A_FRAME = 120
FIRST = 1  # of Blender's frames: where its reader of glTF puts time 0 on


def blender_film(
    shown: Shown,
    size: int,
    body: FreeBody,
    scene_bytes: bytes,
    program: str = "blender",
    samples: int = 16,
) -> Film:
    """The motion in `size` pixels squared, under the camera of `film_of`.

    Args:
        scene_bytes: a GLB of the motion.
        samples: of a pixel; more are slower and less grainy.

    Raises:
        UserError: no such program, or it fails.
    """
    found = find_blender(program, "renderer=blender draws", "leave renderer out")
    scene = Scene(shown, (size, size), body)
    colours = film_colours(scene.look)
    return Film(_pictures(found, scene, scene_bytes, samples), (size, size), scene.fps, colours)


def _pictures(program: str, scene: Scene, content: bytes, samples: int) -> Iterator[Image.Image]:
    camera = scene.camera
    whole = max(round(scene.fps), 1)
    right, up, into = AXES
    wanted = {
        "fps": whole,
        "fps_base": whole / scene.fps,
        "first": FIRST,
        "frames": scene.frames,
        "samples": samples,
        "size": scene.size[0],
        "floor": camera.floor,
        "focal": camera.focal,
        "centre": camera.centre,
        "axes": np.stack((right, up, -into)).tolist(),
        "places": (camera.targets - camera.distance * into).tolist(),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, body = folder / "scene.json", folder / "motion.glb"
        source.write_text(json.dumps(wanted))
        body.write_bytes(content)
        arguments = [str(source), str(body), name]
        run_blender(program, SCRIPT, arguments, 60 + SECONDS_A_FRAME * scene.frames)
        for frame in range(scene.frames):
            with Image.open(folder / f"{frame:05d}.png") as picture:
                yield scene.with_words(picture.convert("RGB"), frame)
